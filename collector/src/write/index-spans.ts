import type { OtlpSpan } from '@loopkit/shared/otlp/model'
import { readTag, skipField, varintEnd } from '@loopkit/shared/otlp/wire'
import { clampNano } from '@loopkit/shared/span/nanoseconds'
import { createLatencyCounts, type LatencyCount, type LatencyCounts } from './latency-counts.ts'
import { createSpanFacts, readShape, type SpanFacts } from './shape-hash.ts'
import type { MemoResource, RunKey, Shape, ShapeMemo, ShapeRules } from './shape-memo.ts'

/** Runs of one operation and release in one minute of event time. `eventMinute` null: the spans have no time. */
export interface RunCount extends RunKey {
  eventMinute: number | null
  runs: number
  weight: number
  weightSquared: number
}

/** What a trace's new spans give reason to judge it for. */
export interface TraceReasons {
  traceId: Uint8Array
  failing: number
  unended: number
  agentSteps: number
  /** Session ids that its spans name. */
  sessions: Set<string>
}

/** What the rows of one commit say about one project's spans. */
export interface SpanIndex {
  runs: RunCount[]
  latencies: LatencyCount[]
  /** By trace id as latin1 text. */
  traces: Map<string, TraceReasons>
  eventMinMs: number
  eventMaxMs: number
}

/** Distinct rows of runs that one commit may add for a project; spans beyond count under OVERFLOW. */
const RUN_ROWS_MAX = 5000
/** Where counts go when there are too many distinct names. */
export const OVERFLOW = '(other)'
/** Sessions that one trace may name in one commit; an honest one names one. */
export const SESSIONS_PER_TRACE_MAX = 100
const MINUTE_MS = 60_000
const TRACE_ID_BYTES = 16
const SPAN_ID_BYTES = 8

const RESOURCE_SPANS = 0x0a
const SCOPE_SPANS = 0x12
/** Where senders of before 2022 put their scopes. */
const OLD_SCOPE_SPANS = (1000 << 3) | 2
const SPAN = 0x12

/** Collects what the index needs to know of spans, body by body. */
export interface SpanIndexer {
  /** `replaced`: trace and span ids (latin1) of spans that were counted as runs before. */
  add(body: Uint8Array, replaced: ReadonlySet<string>): void
  finish(): SpanIndex
}

interface Collecting {
  index: SpanIndex
  memo: ShapeMemo
  filter: ShapeRules['filter']
  facts: SpanFacts
  latencies: LatencyCounts
  /** Counters by what they count; the last used one first, since neighbours are mostly of one minute. */
  counters: Map<RunKey, RunCount[]>
  overflow: RunCount | null
}

export function createSpanIndexer({ filter }: ShapeRules, memo: ShapeMemo): SpanIndexer {
  const index: SpanIndex = { runs: [], latencies: [], traces: new Map(), eventMinMs: Number.MAX_SAFE_INTEGER, eventMaxMs: 0 }
  const latencies = createLatencyCounts(memo.slowestStored)
  const collecting: Collecting = { index, memo, filter, facts: createSpanFacts(), latencies, counters: new Map(), overflow: null }
  return {
    add: (body, replaced) => addRequest(collecting, body, replaced),
    finish() {
      index.latencies = latencies.finish()
      return index.eventMinMs > index.eventMaxMs ? { ...index, eventMinMs: 0, eventMaxMs: 0 } : index
    },
  }
}

/** The time a span is judged by: its end, or its start while it has none; 0 where it has neither. */
export function eventNanoOf(span: OtlpSpan): bigint {
  return clampNano(span.endUnixNano === 0n ? span.startUnixNano : span.endUnixNano)
}

function addRequest(collecting: Collecting, body: Uint8Array, replaced: ReadonlySet<string>): void {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength)
  eachMessage(body, 0, body.length, (tag, start, end) => {
    if (tag !== RESOURCE_SPANS) return
    const resource = collecting.memo.resource(body, view, start, end)
    eachMessage(body, start, end, (inner, scopeStart, scopeEnd) => {
      if (inner !== SCOPE_SPANS && inner !== OLD_SCOPE_SPANS) return
      eachMessage(body, scopeStart, scopeEnd, (field, spanStart, spanEnd) => {
        if (field === SPAN) addSpan(collecting, body, view, spanStart, spanEnd, resource, replaced)
      })
    })
  })
}

/** Visits the length-delimited fields of a message, by the bounds of their content. */
function eachMessage(
  body: Uint8Array,
  start: number,
  end: number,
  visit: (tag: number, start: number, end: number) => void,
): void {
  for (let p = start; p < end; ) {
    const tag = readTag(body, p, end)
    p = varintEnd(body, p, end)
    const next = skipField(body, tag, p, end)
    if ((tag & 7) === 2) visit(tag, varintEnd(body, p, end), next)
    p = next
  }
}

function addSpan(
  collecting: Collecting,
  body: Uint8Array,
  view: DataView,
  start: number,
  end: number,
  resource: MemoResource,
  replaced: ReadonlySet<string>,
): void {
  const { facts, filter, memo, index } = collecting
  facts.hashLow = resource.hashLow
  facts.hashHigh = resource.hashHigh
  readShape(body, view, start, end, filter, facts)
  const shape = memo.shape(body, start, end, facts, resource)
  const eventMs = facts.ended ? facts.endMs : facts.startMs
  if (eventMs !== 0) {
    if (eventMs < index.eventMinMs) index.eventMinMs = eventMs
    if (eventMs > index.eventMaxMs) index.eventMaxMs = eventMs
  }
  if (replaced.size === 0 || !replaced.has(spanKey(body, facts))) countRun(collecting, shape, eventMs)
  // One that replaces was not timed before: it had not ended.
  if (facts.ended && shape.isTimed) collecting.latencies.add(shape.runKey, facts, body)
  if (shape.failing || shape.agentStep || !facts.ended || shape.session !== null) noteReasons(index, shape, body, facts)
}

function countRun(collecting: Collecting, { runKey, weight }: Shape, eventMs: number): void {
  const eventMinute = eventMs === 0 ? null : Math.floor(eventMs / MINUTE_MS)
  const run = counterOf(collecting, runKey, eventMinute)
  run.runs++
  run.weight += weight
  run.weightSquared += weight * weight
}

function counterOf(collecting: Collecting, runKey: RunKey, eventMinute: number | null): RunCount {
  const { counters, index } = collecting
  let ofKey = counters.get(runKey)
  if (!ofKey) {
    ofKey = []
    counters.set(runKey, ofKey)
  }
  if (ofKey[0]?.eventMinute === eventMinute && ofKey.length > 0) return ofKey[0]!
  const at = ofKey.findIndex((run) => run.eventMinute === eventMinute)
  if (at < 0 && index.runs.length >= RUN_ROWS_MAX) return overflowOf(collecting)
  const run = at < 0 ? newRun(index, runKey, eventMinute) : ofKey.splice(at, 1)[0]!
  ofKey.unshift(run)
  return run
}

function overflowOf(collecting: Collecting): RunCount {
  collecting.overflow ??= newRun(collecting.index, { service: OVERFLOW, operation: OVERFLOW, release: '' }, null)
  return collecting.overflow
}

function newRun(index: SpanIndex, runKey: RunKey, eventMinute: number | null): RunCount {
  const run = { ...runKey, eventMinute, runs: 0, weight: 0, weightSquared: 0 }
  index.runs.push(run)
  return run
}

function noteReasons(index: SpanIndex, shape: Shape, body: Uint8Array, { traceIdAt, ended }: SpanFacts): void {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  const key = bytes.toString('latin1', traceIdAt, traceIdAt + TRACE_ID_BYTES)
  let reasons = index.traces.get(key)
  if (!reasons) {
    const traceId = new Uint8Array(body.subarray(traceIdAt, traceIdAt + TRACE_ID_BYTES))
    reasons = { traceId, failing: 0, unended: 0, agentSteps: 0, sessions: new Set() }
    index.traces.set(key, reasons)
  }
  if (shape.failing) reasons.failing++
  if (!ended) reasons.unended++
  if (shape.agentStep) reasons.agentSteps++
  if (shape.session !== null && reasons.sessions.size < SESSIONS_PER_TRACE_MAX) reasons.sessions.add(shape.session)
}

function spanKey(body: Uint8Array, { traceIdAt, spanIdAt }: SpanFacts): string {
  return latin1(body.subarray(traceIdAt, traceIdAt + TRACE_ID_BYTES)) + latin1(body.subarray(spanIdAt, spanIdAt + SPAN_ID_BYTES))
}

/** Bytes as a short text that a Map can hold: one character a byte. */
export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}
