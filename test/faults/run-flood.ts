import { driveLoad } from '../bench/drive-load.ts'
import type { LoadJob, LoadResult } from '../bench/load-messages.ts'
import { createLoadTemplate } from '../bench/load-template.ts'
import { requestsOf } from '../bench/mixes.ts'
import { callApi } from '../harness/http.ts'
import type { ProjectKeys } from '../harness/start-product.ts'
import { type MainThreadDelay, readMainThreadDelay } from './main-thread-delay.ts'
import { type HealthSeen, watchHealth } from './watch-health.ts'
import { withFaultRig } from './with-fault-rig.ts'

export interface FloodReport {
  /** Of the one connection, alone and then beside the flood, in ms. */
  aloneP99Ms: number
  besideP99Ms: number
  besideP50Ms: number
  /** Of the flood itself. */
  floodP50Ms: number
  /** Requests of the one connection that were not answered with 200. */
  refused: number
  floodSpansPerSecond: number
  health: HealthSeen
  delay: MainThreadDelay
}

/** Bodies of the flood, in spans. */
const FLOOD_BATCH = 512
const FLOOD_CONNECTIONS = 64
/** The quiet project sends fifty bodies a second over one connection. */
const QUIET_BATCH = 20
const QUIET_SPANS_PER_SECOND = 50 * QUIET_BATCH

/** Two projects, a real process: one sends a little, then the other floods it from many connections at once. */
export function runFlood({ forMs, nowNano }: { forMs: number; nowNano: bigint }): Promise<FloodReport> {
  return withFaultRig(async (rig) => {
    const flooding = await callApi(`${rig.analyzerUrl()}/v1/provision`, { json: { project_name: 'flood' } })
    const { port } = new URL(rig.otlpUrl())
    const bodies = (batch: number) =>
      requestsOf('generated', batch).map((request) => createLoadTemplate(request, 'protobuf', nowNano))
    const job = (more: Partial<LoadJob>): LoadJob => ({
      ...{ host: '127.0.0.1', port: Number(port), key: rig.keys.producer_key, transport: 'http', gzip: false },
      ...{
        connections: 1,
        warmUpMs: 500,
        forMs,
        spansPerSecond: QUIET_SPANS_PER_SECOND,
        spansMax: 0,
        templates: bodies(QUIET_BATCH),
      },
      ...more,
    })
    const alone = await driveLoad(job({}))
    await readMainThreadDelay(rig.otlpUrl())
    const endWatch = watchHealth(rig.otlpUrl())
    const flood = driveLoad(
      job({
        key: flooding.json<ProjectKeys>().producer_key,
        connections: FLOOD_CONNECTIONS,
        templates: bodies(FLOOD_BATCH),
        spansPerSecond: 0,
        warmUpMs: 0,
        forMs: forMs + 1_000,
      }),
    )
    const beside = await driveLoad(job({}))
    const flooded = await flood
    return {
      aloneP99Ms: quantile(alone, 0.99),
      besideP99Ms: quantile(beside, 0.99),
      besideP50Ms: quantile(beside, 0.5),
      floodP50Ms: quantile(flooded, 0.5),
      refused: alone.refused + beside.refused,
      floodSpansPerSecond: Math.round(flooded.spans / flooded.seconds),
      health: await endWatch(),
      delay: await readMainThreadDelay(rig.otlpUrl()),
    }
  })
}

function quantile({ ackMs }: LoadResult, share: number): number {
  return Math.round((ackMs[Math.floor(ackMs.length * share)] ?? 0) * 10) / 10
}
