import { tmpdir } from 'node:os'
import { createFaultShim, type FaultShim } from '../faults/fault-shim.ts'
import type { BenchCase } from './bench-cases.ts'
import type { BenchServer } from './bench-server.ts'
import { driveLoad } from './drive-load.ts'
import { createLoadTemplate, type LoadTemplate } from './load-template.ts'
import { requestsOf } from './mixes.ts'
import { cpuSeconds, peakMemoryMb } from './process-cost.ts'
import { startDropServer } from './start-drop-server.ts'
import { startLoopkit } from './start-loopkit.ts'
import { type OtelcolKind, startOtelcol } from './start-otelcol.ts'
import { folderBytes } from './stored-bytes.ts'

export type ServerName = 'loopkit' | OtelcolKind | 'drop'

/** One load on one server. */
export interface CaseRun {
  case: string
  server: ServerName
  round: number
  spans: number
  spans_per_s: number
  mb_per_s: number
  cpu_s_per_million_spans: number
  ack_p50_ms: number
  ack_p99_ms: number
  ack_max_ms: number
  rss_peak_mb: number
  /** null: the server stores nothing. */
  disk_bytes_per_span: number | null
  body_bytes: number
  refused: number
  rejected: number
  /** The last answer that was not 200. */
  refusal: string
  sender_cpu_s: number
  seconds: number
}

export interface RunOptions {
  round: number
  warmUpMs: number
  forMs: number
  env: NodeJS.ProcessEnv
  /** The Collector's program; null where it cannot be had. */
  otelcol: string | null
  /** Where the product writes what its threads did, for `node --cpu-prof`; null: nowhere. */
  profileDir: string | null
  nowNano: bigint
}

/** Bodies of a run; more would only take longer to make. */
const TEMPLATES_MAX_BYTES = 24 * 1024 ** 2
/** Compressed bodies are made before: a run with gzip is so many spans long. */
const COMPRESSED_SPANS = 900_000

/** Starts the server anew, loads it, and ends it. */
export async function runCase(bench: BenchCase, server: ServerName, options: RunOptions): Promise<CaseRun> {
  const templates = templatesOf(bench, options.nowNano)
  const shim = server === 'loopkit' && bench.syncDelayMs > 0 ? createFaultShim('telemetry.db-wal') : null
  const running = await start(server, options, shim)
  try {
    shim?.set({ syncDelayMs: bench.syncDelayMs })
    return await measure(bench, server, running, templates, options)
  } finally {
    shim?.clear()
    await running.stop()
    shim?.remove()
  }
}

async function start(server: ServerName, { env, otelcol, profileDir }: RunOptions, shim: FaultShim | null): Promise<BenchServer> {
  const profile = profileDir === null ? {} : { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${profileDir}` }
  if (server === 'loopkit') return startLoopkit(env, { env: { ...profile, ...shim?.env } })
  if (server === 'drop') return startDropServer(env)
  if (otelcol === null) throw new Error(`no OpenTelemetry Collector below ${tmpdir()}`)
  return startOtelcol(otelcol, server, env)
}

function templatesOf({ mix, batch, encoding }: BenchCase, nowNano: bigint): LoadTemplate[] {
  const templates: LoadTemplate[] = []
  let bytes = 0
  for (const request of requestsOf(mix, batch)) {
    const template = createLoadTemplate(request, encoding, nowNano)
    bytes += template.bytes.length
    if (bytes > TEMPLATES_MAX_BYTES && templates.length > 0) break
    templates.push(template)
  }
  return templates
}

async function measure(
  bench: BenchCase,
  server: ServerName,
  { pid, dataDir, httpPort, grpcPort, key }: BenchServer,
  templates: LoadTemplate[],
  { warmUpMs, forMs, round }: RunOptions,
): Promise<CaseRun> {
  const { transport, gzip, connections, spansPerSecond } = bench
  const bytesNow = () => (dataDir === null ? 0 : folderBytes(dataDir))
  let before = { cpu: 0, bytes: 0 }
  const result = await driveLoad(
    {
      ...{
        host: '127.0.0.1',
        port: transport === 'grpc' ? grpcPort : httpPort,
        key,
        transport,
        gzip,
        connections,
        spansPerSecond,
      },
      ...{ warmUpMs: gzip ? 0 : warmUpMs, forMs, spansMax: gzip ? COMPRESSED_SPANS : 0, templates },
    },
    () => {
      before = { cpu: cpuSeconds(pid), bytes: bytesNow() }
    },
  )
  const { spans, seconds, ackMs } = result
  const at = (share: number) => ackMs[Math.min(ackMs.length - 1, Math.floor(ackMs.length * share))] ?? 0
  return {
    case: bench.name,
    server,
    round,
    spans,
    spans_per_s: Math.round(spans / seconds),
    mb_per_s: rounded(((templates[0]!.bytes.length / templates[0]!.spans) * spans) / seconds / 1e6),
    cpu_s_per_million_spans: rounded(((cpuSeconds(pid) - before.cpu) / Math.max(1, spans)) * 1e6, 2),
    ack_p50_ms: rounded(at(0.5), 2),
    ack_p99_ms: rounded(at(0.99), 2),
    ack_max_ms: rounded(at(1), 2),
    rss_peak_mb: Math.round(peakMemoryMb(pid)),
    disk_bytes_per_span: dataDir === null ? null : rounded((bytesNow() - before.bytes) / Math.max(1, spans)),
    body_bytes: templates[0]!.bytes.length,
    refused: result.refused,
    rejected: result.rejected,
    refusal: result.refusal,
    sender_cpu_s: rounded(result.senderCpuSeconds, 2),
    seconds: rounded(seconds, 2),
  }
}

export function rounded(value: number, places = 1): number {
  return Number(value.toFixed(places))
}
