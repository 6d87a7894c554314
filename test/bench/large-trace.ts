import { join } from 'node:path'
import { openDatabase } from '@loopkit/shared/database/open'
import { callApi, sendOtlp, until } from '../harness/http.ts'
import type { SpanJson, TraceRequestJson } from '../harness/otlp-json.ts'
import { encodeTraceRequest } from '../harness/otlp-protobuf.ts'
import type { ProjectKeys } from '../harness/start-product.ts'
import { requestsOf } from './mixes.ts'
import { rounded } from './run-case.ts'
import type { BenchedProduct } from './start-loopkit.ts'

/** How soon a trace of 10,000 spans is shown. */
export interface LargeTraceFigures {
  /** The first question of the product's life, the trace in 200 bodies as it came. */
  skeleton_cold_ms: number
  skeleton_warm_p50_ms: number
  skeleton_warm_p95_ms: number
  /** The same once its segments are joined. */
  skeleton_merged_cold_ms: number
  skeleton_merged_p50_ms: number
  full_page_p50_ms: number
}

const SPANS = 10_000
const BODIES = 200
const TRACE_ID = 'c0ffee00c0ffee00c0ffee00c0ffee00'
const ROUNDS = 30
const MERGE_MAX_MS = 120_000
/** Joined segments hold some 4,000 spans; the last few bodies wait for more. */
const JOINED_SEGMENTS_MAX = 25

export interface LargeTraceOptions {
  product: BenchedProduct
  /** Ends it by force and starts it anew on its data: what it remembers is gone. */
  restart(product: BenchedProduct): Promise<BenchedProduct>
  nowNano: bigint
}

/** Answers the figures and the product that runs then. */
export async function measureLargeTrace({ product, restart, nowNano }: LargeTraceOptions) {
  const { keys } = product
  for (const request of cutTrace(nowNano)) {
    const { status } = await sendOtlp(`http://127.0.0.1:${product.httpPort}`, keys.producer_key, encodeTraceRequest(request))
    if (status !== 200) throw new Error(`a body of the large trace was answered ${status}`)
  }
  const cold = await restart(product)
  const skeletonCold = await ask(cold, keys, 'skeleton')
  const warm = await askAgain(cold, keys, 'skeleton')
  await until('the trace to be merged', () => (segmentsOf(cold) <= JOINED_SEGMENTS_MAX ? true : null), MERGE_MAX_MS, 500)
  const merged = await restart(cold)
  const figures: LargeTraceFigures = {
    skeleton_cold_ms: rounded(skeletonCold, 1),
    skeleton_warm_p50_ms: warm.p50,
    skeleton_warm_p95_ms: warm.p95,
    skeleton_merged_cold_ms: rounded(await ask(merged, keys, 'skeleton'), 1),
    skeleton_merged_p50_ms: (await askAgain(merged, keys, 'skeleton')).p50,
    full_page_p50_ms: (await askAgain(merged, keys, 'full')).p50,
  }
  return { figures, product: merged }
}

async function askAgain(product: BenchedProduct, keys: ProjectKeys, view: 'skeleton' | 'full') {
  const took: number[] = []
  for (let n = 0; n < ROUNDS; n++) took.push(await ask(product, keys, view))
  took.sort((a, b) => a - b)
  return { p50: rounded(took[ROUNDS >> 1]!, 1), p95: rounded(took[Math.floor(ROUNDS * 0.95)]!, 1) }
}

async function ask({ analyzerUrl }: BenchedProduct, { agent_key }: ProjectKeys, view: 'skeleton' | 'full'): Promise<number> {
  const startMs = performance.now()
  const answer = await callApi(`${analyzerUrl}/v1/sessions/${TRACE_ID}?view=${view}`, { key: agent_key })
  const tookMs = performance.now() - startMs
  const { records, items } = answer.json<{ records?: number; items?: unknown[] }>()
  if (records !== SPANS || items?.length !== 1_000) throw new Error(`the large trace was answered ${answer.text.slice(0, 300)}`)
  return tookMs
}

/** Segments that hold the bodies that came last in the project of the load. */
function segmentsOf({ dataDir }: BenchedProduct): number {
  const db = openDatabase(join(dataDir, 'telemetry.db'), { role: 'reader' })
  try {
    const rows = db
      .prepare(
        `select records from segment where kind = 'span' and project_no =
           (select project_no from segment group by project_no order by sum(records) desc limit 1)
         order by last_commit desc limit ${BODIES}`,
      )
      .pluck()
      .all() as number[]
    let left = SPANS
    return rows.findIndex((records) => {
      left -= records
      return left <= 0
    })
  } finally {
    db.close()
  }
}

/** Spans of the capture, all of one trace, each under the fourth before it. */
function cutTrace(nowNano: bigint): TraceRequestJson[] {
  const source = requestsOf('capture', 512).flatMap(({ resourceSpans }) =>
    resourceSpans.flatMap(({ resource, scopeSpans }) =>
      scopeSpans.flatMap(({ scope, spans }) => spans.map((span) => ({ resource, scope, span }))),
    ),
  )
  const ofBody = SPANS / BODIES
  return Array.from({ length: BODIES }, (_, body) => ({
    resourceSpans: Array.from({ length: ofBody }, (_, at) => {
      const number = body * ofBody + at
      const { resource, scope, span } = source[number % source.length]!
      return { ...(resource && { resource }), scopeSpans: [{ ...(scope && { scope }), spans: [inTrace(span, number, nowNano)] }] }
    }),
  }))
}

const SPAN_NANOS = 100_000n

function inTrace(span: SpanJson, number: number, nowNano: bigint): SpanJson {
  const start = nowNano + BigInt(number) * SPAN_NANOS
  return {
    ...span,
    ...{
      traceId: TRACE_ID,
      spanId: idOf(number),
      parentSpanId: number === 0 ? '' : idOf(Math.floor((number - 1) / 4)),
      links: [],
    },
    ...{ startTimeUnixNano: String(start), endTimeUnixNano: String(start + SPAN_NANOS * 50n) },
  }
}

const idOf = (number: number): string => (number + 1).toString(16).padStart(16, '0')
