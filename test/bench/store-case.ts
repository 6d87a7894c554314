import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { openDatabase } from '@loopkit/shared/database/open'
import { toHex } from '@loopkit/shared/otlp/ids'
import { scanTraces } from '@loopkit/shared/otlp/scan-traces'
import { unpackSegment } from '@loopkit/shared/segment/pack-segment'
import { mulberry32 } from '../demo/random.ts'
import { callApi, until } from '../harness/http.ts'
import { driveLoad } from './drive-load.ts'
import { type LargeTraceFigures, measureLargeTrace } from './large-trace.ts'
import { createLoadTemplate } from './load-template.ts'
import { requestsOf } from './mixes.ts'
import { rounded } from './run-case.ts'
import { type BenchedProduct, startLoopkit } from './start-loopkit.ts'
import { folderBytes, folderBytesByFile } from './stored-bytes.ts'

/** What many spans leave behind, and how soon they are found. */
export interface StoreFigures extends LargeTraceFigures {
  spans: number
  /** The data folder without ballast, after the product has merged, decided, and shortened its files by itself. */
  bytes_per_span: number
  /** From the last span to the folder that no longer changes. */
  settled_after_s: number
  /** The parts of `bytes_per_span`. */
  bytes_by_file: string
  /** `/v1/sessions/{trace_id}` of traces of some spans from all over the store, then `/v1/telemetry?trace_id=`. */
  trace_by_id_p50_ms: number
  trace_by_id_p95_ms: number
  trace_by_id_p99_ms: number
  records_of_trace_p50_ms: number
  records_of_trace_p95_ms: number
  /** Of the whole folder, when the collector was killed under load. */
  killed_with_gb: number
  /** From the start of the process, as `npm start` does it, to ready. */
  ready_after_kill_s: number
}

export interface StoreOptions {
  spans: number
  /** The folder grows to this before the kill. */
  killedWithBytes: number
  env: NodeJS.ProcessEnv
  nowNano: bigint
  print(line: string): void
}

const BATCH = 512
const CONNECTIONS = 8
const LOOKUPS = 500
const SAMPLED_SEGMENTS = 40
/** The folder counts as settled when it has not changed for this long, in ms; longer than the pause before the log is emptied. */
const STILL_FOR_MS = 45_000
const SETTLE_MAX_MS = 20 * 60_000
const FILL_MAX_MS = 5 * 60_000
/** Files that are smaller than this a span are not named. */
const SHOWN_MIN_BYTES = 0.1
const LOOK_EVERY_MS = 1_000

export async function runStoreCase({ spans, killedWithBytes, env, nowNano, print }: StoreOptions): Promise<StoreFigures> {
  const templates = requestsOf('capture', BATCH).map((request) => createLoadTemplate(request, 'protobuf', nowNano))
  const product = await startLoopkit(env)
  let running = product
  const restart = async (before: BenchedProduct): Promise<BenchedProduct> => {
    await before.kill()
    running = await startLoopkit(env, { dataDir: before.dataDir })
    return running
  }
  const load = (server: BenchedProduct, spansMax: number, forMs: number) =>
    driveLoad({
      ...{ host: '127.0.0.1', port: server.httpPort, key: product.key, transport: 'http', gzip: false, connections: CONNECTIONS },
      ...{ warmUpMs: 0, forMs, spansPerSecond: 0, spansMax, templates },
    })
  try {
    const sent = await load(product, spans, FILL_MAX_MS)
    print(`${sent.spans} spans in ${Math.round(sent.seconds)} s`)
    const settledAfterMs = await settle(product.dataDir, print)
    const byFile = folderBytesByFile(product.dataDir)
    const sessions = await lookUpTraces(product, (id) => `/v1/sessions/${id}`)
    const records = await lookUpTraces(product, (id) => `/v1/telemetry?trace_id=${id}`)
    print(`trace by id: p50 ${sessions.p50} ms, p99 ${sessions.p99} ms; its records p50 ${records.p50} ms`)
    const large = await measureLargeTrace({ product, restart, nowNano })
    print(`large trace: ${JSON.stringify(large.figures)}`)
    await fill({ ...large.product, key: product.key }, killedWithBytes, load)
    const killedWith = folderBytes(product.dataDir)
    const { readyMs } = await restart(large.product)
    return {
      spans: sent.spans,
      bytes_per_span: rounded(byFile.reduce((sum, { bytes }) => sum + bytes, 0) / sent.spans),
      settled_after_s: rounded(settledAfterMs / 1000),
      bytes_by_file: byFile
        .filter(({ bytes }) => bytes / sent.spans >= SHOWN_MIN_BYTES)
        .map(({ name, bytes }) => `${name} ${rounded(bytes / sent.spans)}`)
        .join(', '),
      trace_by_id_p50_ms: sessions.p50,
      trace_by_id_p95_ms: sessions.p95,
      trace_by_id_p99_ms: sessions.p99,
      records_of_trace_p50_ms: records.p50,
      records_of_trace_p95_ms: records.p95,
      ...large.figures,
      killed_with_gb: rounded(killedWith / 1e9, 2),
      ready_after_kill_s: rounded(readyMs / 1000, 2),
    }
  } finally {
    await running.stop()
    rmSync(product.dataDir, { recursive: true, force: true })
  }
}

/** Waits for the product to come to rest: nothing is asked of it that it would not do for anybody. */
async function settle(dataDir: string, print: (line: string) => void): Promise<number> {
  const startMs = performance.now()
  let bytes = -1
  let sinceMs = startMs
  let printedMs = startMs
  await until(
    'the data folder to come to rest',
    () => {
      const now = performance.now()
      const current = folderBytes(dataDir)
      if (current !== bytes) sinceMs = now
      bytes = current
      if (now - printedMs > 15_000) {
        printedMs = now
        print(`data folder ${rounded(bytes / 1e6)} MB`)
      }
      return now - sinceMs > STILL_FOR_MS ? true : null
    },
    SETTLE_MAX_MS,
    LOOK_EVERY_MS,
  )
  return sinceMs - startMs
}

/** More spans until the folder is large enough; the kill meets the product at work. */
async function fill(
  product: BenchedProduct,
  bytes: number,
  load: (server: BenchedProduct, spansMax: number, forMs: number) => Promise<unknown>,
): Promise<void> {
  const endMs = performance.now() + FILL_MAX_MS
  do await load(product, 0, 4_000)
  while (folderBytes(product.dataDir) < bytes && performance.now() < endMs)
}

async function lookUpTraces({ dataDir, analyzerUrl, keys }: BenchedProduct, pathOf: (traceId: string) => string) {
  const ids = sampleTraceIds(dataDir)
  const tookMs: number[] = []
  for (let n = 0; n < LOOKUPS; n++) {
    const startMs = performance.now()
    const answer = await callApi(`${analyzerUrl}${pathOf(ids[n % ids.length]!)}`, { key: keys.agent_key })
    tookMs.push(performance.now() - startMs)
    if (answer.status !== 200)
      throw new Error(`a trace that is stored was answered ${answer.status}: ${answer.text.slice(0, 300)}`)
  }
  tookMs.sort((a, b) => a - b)
  const at = (share: number) => rounded(tookMs[Math.floor(LOOKUPS * share)]!, 2)
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) }
}

/** Ids of traces from all over the store. */
function sampleTraceIds(dataDir: string): string[] {
  const db = openDatabase(join(dataDir, 'telemetry.db'), { role: 'reader' })
  try {
    const ids = (db.prepare("select segment_id as id from segment where kind = 'span'").all() as { id: number }[]).map(
      ({ id }) => id,
    )
    const load = db.prepare('select body, body_bytes as bytes from segment where segment_id = ?')
    const random = mulberry32(1)
    return Array.from({ length: SAMPLED_SEGMENTS }, () => {
      const { body, bytes } = load.get(ids[Math.floor(random() * ids.length)]) as { body: Uint8Array; bytes: number }
      const request = unpackSegment(body, bytes)
      const { count, traceIdAt } = scanTraces(request, { anyValueDepthMax: 64 })
      return Array.from({ length: 20 }, () => {
        const at = traceIdAt[Math.floor(random() * count)]!
        return toHex(request.subarray(at, at + 16))
      })
    }).flat()
  } finally {
    db.close()
  }
}
