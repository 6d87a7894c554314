import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { callApi, until } from '../harness/http.ts'
import { readJson } from '../harness/reading.ts'
import { type ProjectKeys, startProduct } from '../harness/start-product.ts'
import { groundTruthOf, readGroundTruth, writeGroundTruth } from './ground-truth.ts'
import { planTraffic, type TrafficOptions } from './plan-traffic.ts'
import { readPains } from './read-pains.ts'
import { runTraffic, type TrafficCounts } from './run-traffic.ts'
import { type Score, score } from './score.ts'

/** The part of a packet (contract §4) the demo speaks of. */
export interface Packet {
  packet_id: string
  status: 'ready_for_issue_diagnosis' | 'observe_more'
  issues: { pain_id: string; title: string; signal_type: string; count: number; evidence_ids: string[] }[]
  telemetry_read: number
}

export interface DemoOptions extends TrafficOptions {
  /** Where the ground truth goes; by default a temporary file that is removed. */
  truthPath?: string
  /** Told once a step is done. */
  onStep?: (what: string) => void
}

export interface DemoResult {
  packet: Packet
  latestMarkdown: string
  traffic: TrafficCounts
  accepted: number
  score: Score
}

/** A trace is decided once it has been quiet this long: short, since nobody waits for stragglers here. */
const QUIET_MS = 1000
const DECIDED_MS = 20_000
const SINCE_MINUTES = 60

/**
 * The main job, end to end, against a product of its own on free ports: provision, send, diagnose, compare with the truth.
 * The product learns nothing about the faults but what the telemetry says.
 */
export async function runDemo({ seed, traces, faults, truthPath, onStep = () => {} }: DemoOptions): Promise<DemoResult> {
  const folder = mkdtempSync(join(tmpdir(), 'loopkit-demo-'))
  const path = truthPath ?? join(folder, 'ground-truth.json')
  const product = await startProduct({ env: { LOOPKIT_QUIET_MS: String(QUIET_MS) } })
  try {
    onStep(`product started: ${product.analyzerUrl} and ${product.otlpUrl}`)
    const keys = await product.provision('demo')
    const visits = planTraffic({ seed, traces, faults })
    const truth = groundTruthOf(seed, visits)
    writeGroundTruth(path, truth)
    const traffic = await runTraffic({ otlpUrl: product.otlpUrl, producerKey: keys.producer_key }, seed, visits)
    onStep(`sent ${traffic.spans} spans of ${traces} traces`)
    await untilDecided(
      product.analyzerUrl,
      keys,
      truth.planted.flatMap(({ traceIds }) => traceIds),
    )
    onStep('every planted trace is decided')
    const packet = await diagnose(product.analyzerUrl, keys.agent_key)
    onStep(`diagnosed: ${packet.status}`)
    const pains = await readPains(product.analyzerUrl, keys.agent_key)
    return {
      packet,
      latestMarkdown: await readMarkdown(product.analyzerUrl, keys.agent_key),
      traffic,
      accepted: (await readJson<{ accepted: number }>(`${product.analyzerUrl}/v1/ingest/ledger`, keys.agent_key)).accepted,
      score: score(readGroundTruth(path), pains),
    }
  } catch (error) {
    throw new Error(`the demo failed: ${(error as Error).message}\n${product.output().slice(-4000)}`, { cause: error })
  } finally {
    await product.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function untilDecided(analyzerUrl: string, { agent_key }: ProjectKeys, traceIds: string[]): Promise<void> {
  for (const traceId of traceIds) {
    await until(
      `trace ${traceId} to be decided`,
      async () => {
        const receipt = await readJson<{ decided_at: string | null }>(`${analyzerUrl}/v1/traces/${traceId}/receipt`, agent_key)
        return receipt.decided_at
      },
      DECIDED_MS,
      100,
    )
  }
}

async function diagnose(analyzerUrl: string, key: string): Promise<Packet> {
  const answer = await callApi(`${analyzerUrl}/v1/runs/diagnose`, { key, json: { since_minutes: SINCE_MINUTES } })
  if (answer.status !== 200) throw new Error(`diagnose answered ${answer.status}: ${answer.text.slice(0, 500)}`)
  return answer.json<{ packet: Packet }>().packet
}

async function readMarkdown(analyzerUrl: string, key: string): Promise<string> {
  const answer = await callApi(`${analyzerUrl}/v1/reports/latest.md`, { key })
  if (answer.status !== 200) throw new Error(`latest.md answered ${answer.status}`)
  return answer.text
}
