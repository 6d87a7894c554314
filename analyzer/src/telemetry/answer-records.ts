import type { StoredSpan } from '@loopkit/shared/database/telemetry/read-trace'
import { normalizeSpan, type ShownLimits } from '@loopkit/shared/span/normalize-span'
import type { Omission } from '../domain/packet/model.ts'
import { isOutlierSignal, listOutlierRecords, type OutlierSignals, readOutlierSignals } from './outliers/outlier-records.ts'
import { createDecidedSignals } from './records/decided-signals.ts'
import { JUDGE_FILTER, toTraceSpan } from './records/judge-span.ts'
import { omittedRecords, omittedSegments } from './records/omitted-segments.ts'
import {
  comparePlaces,
  createIsBehind,
  createIsWithin,
  createMatch,
  type RecordFilter,
  type RecordPosition,
  toPosition,
} from './records/record-place.ts'
import { createSessionOf, type RecordOwner } from './records/record-sessions.ts'
import { scanNewest } from './records/scan-newest.ts'
import { findSpanPlaces, nameOf, type SpanPlace, type SpanPlaces } from './records/span-places.ts'
import type { TelemetryConnection } from './telemetry-file.ts'

export interface RecordsQuestion extends RecordOwner, RecordFilter {
  /** Records of one trace only; with `spanId` that one record, whatever the filter says. */
  traceId: Uint8Array | null
  spanId: Uint8Array | null
  limit: number
  after: RecordPosition | null
  limits: ShownLimits
}

export interface RecordsAnswer {
  /** The records as a JSON array: made here, so that the main thread does not. */
  itemsJson: string
  next: RecordPosition | null
  omitted: Omission[]
}

const READ_AT_ONCE = 1_000

interface Found {
  spans: StoredSpan[]
  next: RecordPosition | null
  omitted: Omission[]
}

/** Records, the newest arrival first; inside one commit the latest start first. */
export function answerRecords(connection: TelemetryConnection, question: RecordsQuestion): RecordsAnswer {
  const { spans, next, omitted } = findSpans(connection, question)
  const asksOutliers = spans.length > 0 && (question.spanId !== null || isOutlierSignal(question.signal))
  const outliers = asksOutliers ? readOutlierSignals(connection, question) : undefined
  return { itemsJson: `[${toRecords(connection, question, spans, outliers).join(',')}]`, next, omitted }
}

function findSpans(connection: TelemetryConnection, question: RecordsQuestion): Found {
  const { traceId, spanId, signal } = question
  if (traceId === null)
    return isOutlierSignal(signal) ? listOutlierRecords(connection, question) : scanNewest(connection, question)
  if (spanId === null) return ofTrace(connection, question, traceId)
  return oneSpan(connection, question, { traceId, spanId })
}

/** One record. Where it is not found, or its end is not, a segment that cannot be read may hold it. */
function oneSpan(
  connection: TelemetryConnection,
  { projectNo }: RecordsQuestion,
  { traceId, spanId }: { traceId: Uint8Array; spanId: Uint8Array },
): Found {
  const { places, damaged, read } = findSpanPlaces(connection, projectNo, [traceId])
  const own = places.filter(({ name }) => name === nameOf(traceId, spanId))
  const isWhole = own.some(({ head, endUnixNano }) => head.bounds === null || endUnixNano !== 0n)
  return { spans: read(own), next: null, omitted: omittedSegments(isWhole ? 0 : damaged) }
}

/** Of a large trace only the page is decoded, unless it is asked what each record says of itself. */
function ofTrace(connection: TelemetryConnection, question: RecordsQuestion, traceId: Uint8Array): Found {
  const { limit, after, service, signal } = question
  const found = findSpanPlaces(connection, question.projectNo, [traceId])
  const isWithin = createIsWithin(question)
  const isBehind = createIsBehind(after)
  const within = found.places.filter((place) => isWithin(place.receivedMs, place) && isBehind(place))
  const wanted = service === null && signal === null ? within : matching(connection, question, { found, within })
  const page = wanted.sort(comparePlaces).slice(0, limit)
  const last = page.at(-1)
  return {
    spans: found.read(page),
    next: last && wanted.length > limit ? toPosition(last) : null,
    omitted: [...omittedRecords(found.leftOut), ...omittedSegments(found.damaged)],
  }
}

/** Those that say of themselves what was asked for, a part after the other, so that few are held. */
function matching(
  connection: TelemetryConnection,
  question: RecordsQuestion,
  { found, within }: { found: SpanPlaces; within: readonly SpanPlace[] },
): SpanPlace[] {
  if (isOutlierSignal(question.signal)) {
    const outliers = readOutlierSignals(connection, question)
    return within.filter(({ name }) => outliers.get(name) === question.signal)
  }
  const isMatch = createMatch(question, question.off, createDecidedSignals(connection, question.projectNo))
  const matches = new Set<string>()
  for (let at = 0; at < within.length; at += READ_AT_ONCE) {
    const stored = found.read(within.slice(at, at + READ_AT_ONCE), JUDGE_FILTER).filter(isMatch)
    for (const { ctx } of stored) matches.add(nameOf(ctx.span.traceId, ctx.span.spanId))
  }
  return within.filter(({ name }) => matches.has(name))
}

const NO_OUTLIERS: OutlierSignals = new Map()

/** The records of these spans, each as JSON. */
export function toRecords(
  connection: TelemetryConnection,
  question: RecordOwner & { limits: ShownLimits },
  spans: readonly StoredSpan[],
  outliers: OutlierSignals = NO_OUTLIERS,
): string[] {
  const sessionOf = createSessionOf(connection, question, spans)
  const off = new Set(question.off)
  const decided = createDecidedSignals(connection, question.projectNo)
  return spans.map((stored) => {
    const detection = toTraceSpan(stored.ctx, off).detection ?? decided(stored.ctx.span)
    const signalType = detection?.signal ?? outliers.get(nameOf(stored.ctx.span.traceId, stored.ctx.span.spanId)) ?? null
    const how = { receivedAtMs: stored.receivedMs, sessionId: sessionOf(stored), signalType, limits: question.limits }
    return JSON.stringify(normalizeSpan(stored.ctx, how))
  })
}
