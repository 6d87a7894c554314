import { toIndexText } from '@loopkit/shared/database/telemetry/index-text'
import { toHex } from '@loopkit/shared/otlp/ids'
import type { SpanInContext } from '@loopkit/shared/otlp/model'
import type { Exemplar } from '@loopkit/shared/rollup/exemplars'
import { detect } from '@loopkit/shared/signals/detect'
import type { SignalType } from '@loopkit/shared/signals/signal-type'
import { waitsByDesign } from '@loopkit/shared/signals/waits-by-design'
import { viewSpan } from '@loopkit/shared/span/view-span'
import { explainSlowRun, type TimedSpan } from '../../domain/outliers/explain-slow-run.ts'
import { placeName, tookMs } from '../evidence/looked-segment.ts'
import { memoryOf } from '../read-memory.ts'
import { eachTrace } from '../records/each-trace.ts'
import { JUDGE_FILTER } from '../records/judge-span.ts'
import type { TelemetryConnection } from '../telemetry-file.ts'
import type { OutlierPlace } from './read-outliers.ts'

/** An operation whose own time it is, with the services that waited for it. */
export interface BlamedPlace extends OutlierPlace {
  /** Of operations that are slow because of this one. */
  services: string[]
}

/** Traces that are read for one operation, and operations that are asked about: the rest stands as it is. */
const TRACES_MAX = 3
const PLACES_MAX = 40
const NOTHING_OFF: ReadonlySet<SignalType> = new Set()

/** Slow operations without those that only waited for a slow one below, for a failure, or for a person. */
export function blameOutliers(
  connection: TelemetryConnection,
  projectNo: number,
  places: readonly OutlierPlace[],
): BlamedPlace[] {
  const slow = places.filter(({ measure }) => measure === 'latency').slice(0, PLACES_MAX)
  const traces = readTimed(connection, projectNo, slow)
  const names = new Set(slow.map(placeName))
  const causes = new Map<OutlierPlace, string | 'excused'>()
  for (const place of slow) {
    const cause = causeOf(place, traces, (name) => names.has(name))
    if (cause !== null) causes.set(place, cause)
  }
  // Nobody is left without one to blame: who is blamed in a circle stands for itself.
  const isPassedOn = (place: OutlierPlace): boolean => {
    const cause = causes.get(place)
    if (cause === undefined || cause === 'excused') return cause === 'excused'
    const below = slow.find((one) => placeName(one) === cause)
    return below !== undefined && causes.get(below) !== placeName(place)
  }
  return places
    .filter((place) => !isPassedOn(place))
    .map((place) => {
      const waiting = slow.filter((one) => causes.get(one) === placeName(place))
      return { ...place, services: [...new Set([place.service, ...waiting.map(({ service }) => service)])].sort() }
    })
}

type TimedTraces = ReadonlyMap<string, TimedSpan[]>

/** Of traces that were read before, by the segments that held them. */
const TIMED = memoryOf<TimedSpan[]>('timed traces', 4)
const SPAN_BYTES = 250

function readTimed(connection: TelemetryConnection, projectNo: number, slow: readonly OutlierPlace[]): TimedTraces {
  const traceIds = slow.flatMap((place) => askedOf(place).map(({ traceId }) => traceId))
  const memory = connection.memory.take(TIMED)
  const keyOf = createKeyOf(connection, projectNo, traceIds)
  const traces = new Map<string, TimedSpan[]>()
  for (const traceId of traceIds) {
    const known = memory.recall(keyOf(toHex(traceId)))
    if (known) traces.set(toHex(traceId), known)
  }
  const missing = traceIds.filter((traceId) => !traces.has(toHex(traceId)))
  for (const { traceId, stored } of eachTrace(connection, projectNo, missing, JUDGE_FILTER)) {
    const timed = stored.flatMap(({ ctx }) => toTimed(ctx))
    traces.set(traceId, timed)
    memory.keep(keyOf(traceId), timed, timed.length * SPAN_BYTES)
  }
  return traces
}

/** A trace with the segments that hold it: a span that comes later lies in another one. */
function createKeyOf({ hasher, index }: TelemetryConnection, projectNo: number, traceIds: readonly Uint8Array[]) {
  const hashOf = new Map(traceIds.map((traceId) => [toHex(traceId), hasher(projectNo, traceId)]))
  const held = new Map<bigint, string>()
  for (const { segmentId, hashes } of index.find(projectNo, [...new Set(hashOf.values())]))
    for (const hash of hashes) held.set(hash, `${held.get(hash) ?? ''} ${segmentId}`)
  return (traceId: string) => `${projectNo} ${traceId}${held.get(hashOf.get(traceId)!) ?? ''}`
}

function toTimed(ctx: SpanInContext): TimedSpan[] {
  const { span } = ctx
  if (span.log) return []
  const view = viewSpan(ctx)
  return [
    {
      spanId: toHex(span.spanId),
      parentId: span.parentSpanId === null ? null : toHex(span.parentSpanId),
      place: placeName({ service: toIndexText(view.service), operation: toIndexText(view.operation) }),
      tookMs: tookMs(span),
      isExcused: detect(span, view, NOTHING_OFF) !== null || waitsByDesign(view),
    },
  ]
}

function askedOf({ exemplars }: OutlierPlace): Exemplar[] {
  return exemplars.slice(0, TRACES_MAX)
}

/** What most of the traces that were read say. */
function causeOf(place: OutlierPlace, traces: TimedTraces, isSlowPlace: (place: string) => boolean): string | null {
  const usualMs = Math.max(...place.hours.map(({ usual }) => usual[0]))
  const said = askedOf(place).flatMap(({ traceId, spanId, value }) => {
    const spans = traces.get(toHex(traceId))
    return spans ? [explainSlowRun(spans, { spanId: toHex(spanId), excessMs: value - usualMs, isSlowPlace })] : []
  })
  const causes = said.map((one) => (one === null || one === 'excused' ? one : one.place))
  const [first, count] = [...Map.groupBy(causes, (cause) => cause)]
    .map(([cause, all]) => [cause, all.length] as const)
    .sort((a, b) => b[1] - a[1] || ((a[0] ?? '') < (b[0] ?? '') ? -1 : 1))[0] ?? [null, 0]
  return count * 2 > causes.length ? first : null
}
