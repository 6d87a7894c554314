import { toIndexText } from '@loopkit/shared/database/telemetry/index-text'
import { type AttributeFilter, decodeTraces } from '@loopkit/shared/otlp/decode-traces'
import type { OtlpResource, OtlpSpan, SpanInContext } from '@loopkit/shared/otlp/model'
import { detect } from '@loopkit/shared/signals/detect'
import { sampleWeight } from '@loopkit/shared/signals/sample-weight'
import type { SignalType } from '@loopkit/shared/signals/signal-type'
import { clampNano, nanoToMs } from '@loopkit/shared/span/nanoseconds'
import type { SpanView } from '@loopkit/shared/span/record'
import { type ResourceView, viewResource } from '@loopkit/shared/span/view-resource'
import { viewSpan } from '@loopkit/shared/span/view-span'

/** Runs of one operation and release in one minute of event time. `eventMinute` null: the spans have no time. */
export interface RunCount {
  service: string
  operation: string
  /** '' where the telemetry names none. */
  release: string
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
  /** By trace id as latin1 text. */
  traces: Map<string, TraceReasons>
  eventMinMs: number
  eventMaxMs: number
}

export interface IndexOptions {
  filter: AttributeFilter
  signalsOff: ReadonlySet<SignalType>
}

/** Distinct rows of runs that one commit may add for a project; spans beyond count under OVERFLOW. */
const RUN_ROWS_MAX = 5000
/** Where counts go when there are too many distinct names. */
export const OVERFLOW = '(other)'
const MINUTE_MS = 60_000

/** Work of an agent, whose traces are judged for their sessions even when nothing failed. */
const AGENT_STEPS: ReadonlySet<SpanView['kind']> = new Set([
  'chat',
  'embeddings',
  'tool',
  'agent',
  'workflow',
  'retrieval',
  'guardrail',
])

/** Collects what the index needs to know of spans, body by body. */
export interface SpanIndexer {
  /** `replaced`: trace and span ids (latin1) of spans that were counted as runs before. */
  add(body: Uint8Array, replaced: ReadonlySet<string>): void
  finish(): SpanIndex
}

export function createSpanIndexer({ filter, signalsOff }: IndexOptions): SpanIndexer {
  const runs: RunsByOperation = new Map()
  const index: SpanIndex = {
    runs: [],
    traces: new Map(),
    eventMinMs: Number.MAX_SAFE_INTEGER,
    eventMaxMs: 0,
  }
  let resource: OtlpResource | null = null
  let shared: ResourceView | null = null

  return {
    add(body, replaced) {
      for (const ctx of decodeTraces(body, filter)) {
        if (ctx.resource !== resource) {
          resource = ctx.resource
          shared = viewResource(resource)
        }
        const view = viewSpan(ctx, shared!)
        const eventMs = nanoToMs(eventNanoOf(ctx.span))
        noteEventTime(index, eventMs)
        if (replaced.size === 0 || !replaced.has(spanKey(ctx))) countRun(runs, index, eventMs, ctx, view)
        noteReasons(index, ctx, view, signalsOff)
      }
    },
    finish: () => (index.eventMinMs > index.eventMaxMs ? { ...index, eventMinMs: 0, eventMaxMs: 0 } : index),
  }
}

/** The time a span is judged by: its end, or its start while it has none; 0 where it has neither. */
export function eventNanoOf(span: OtlpSpan): bigint {
  return clampNano(span.endUnixNano === 0n ? span.startUnixNano : span.endUnixNano)
}

function noteEventTime(index: SpanIndex, eventMs: number): void {
  if (eventMs === 0) return
  if (eventMs < index.eventMinMs) index.eventMinMs = eventMs
  if (eventMs > index.eventMaxMs) index.eventMaxMs = eventMs
}

type RunsByOperation = Map<string, Map<string, RunCount>>

function countRun(runs: RunsByOperation, index: SpanIndex, eventMs: number, ctx: SpanInContext, view: SpanView): void {
  const eventMinute = eventMs === 0 ? null : Math.floor(eventMs / MINUTE_MS)
  const release = view.release ?? ''
  let ofOperation = runs.get(view.operation)
  if (!ofOperation) {
    ofOperation = new Map()
    runs.set(view.operation, ofOperation)
  }
  const key = `${eventMinute}|${view.service}|${release}`
  let run = ofOperation.get(key)
  if (!run) {
    const isFull = index.runs.length >= RUN_ROWS_MAX
    run = isFull ? overflowRun(runs, index) : newRun(view.service, view.operation, release, eventMinute)
    if (!isFull) {
      ofOperation.set(key, run)
      index.runs.push(run)
    }
  }
  const weight = ctx.span.traceState === '' ? 1 : sampleWeight(ctx.span.traceState)
  run.runs++
  run.weight += weight
  run.weightSquared += weight * weight
}

function newRun(service: string, operation: string, release: string, eventMinute: number | null): RunCount {
  return {
    service: toIndexText(service),
    operation: toIndexText(operation),
    release: toIndexText(release),
    eventMinute,
    runs: 0,
    weight: 0,
    weightSquared: 0,
  }
}

function overflowRun(runs: RunsByOperation, index: SpanIndex): RunCount {
  const known = runs.get(OVERFLOW)?.get(OVERFLOW)
  if (known) return known
  const run = newRun(OVERFLOW, OVERFLOW, '', null)
  runs.set(OVERFLOW, (runs.get(OVERFLOW) ?? new Map()).set(OVERFLOW, run))
  index.runs.push(run)
  return run
}

function noteReasons(index: SpanIndex, ctx: SpanInContext, view: SpanView, signalsOff: ReadonlySet<SignalType>): void {
  const { span } = ctx
  const failing = detect(span, view, signalsOff) === null ? 0 : 1
  const unended = span.endUnixNano === 0n ? 1 : 0
  const agentStep = AGENT_STEPS.has(view.kind) ? 1 : 0
  if (failing + unended + agentStep === 0 && view.session === null) return
  const key = latin1(span.traceId)
  let reasons = index.traces.get(key)
  if (!reasons) {
    reasons = { traceId: span.traceId, failing: 0, unended: 0, agentSteps: 0, sessions: new Set() }
    index.traces.set(key, reasons)
  }
  reasons.failing += failing
  reasons.unended += unended
  reasons.agentSteps += agentStep
  if (view.session !== null && reasons.sessions.size < SESSIONS_PER_TRACE_MAX) reasons.sessions.add(toIndexText(view.session))
}

/** Sessions that one trace may name in one commit; an honest one names one. */
const SESSIONS_PER_TRACE_MAX = 100

function spanKey({ span }: SpanInContext): string {
  return latin1(span.traceId) + latin1(span.spanId)
}

/** Bytes as a short text that a Map can hold: one character a byte. */
export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}
