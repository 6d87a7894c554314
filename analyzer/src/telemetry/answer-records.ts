import { readTraces, type StoredSpan } from '@loopkit/shared/database/telemetry/read-trace'
import { normalizeSpan, type ShownLimits } from '@loopkit/shared/span/normalize-span'
import type { Omission } from '../domain/packet/model.ts'
import { createDecidedSignals } from './decided-signals.ts'
import { toTraceSpan } from './judge-span.ts'
import { omittedSegments } from './omitted-segments.ts'
import { readSpans } from './read-spans.ts'
import {
  comparePlaces,
  createIsBehind,
  createMatch,
  placeOf,
  type RecordFilter,
  type RecordPosition,
  toPosition,
} from './record-place.ts'
import { createSessionOf, type RecordOwner } from './record-sessions.ts'
import { scanNewest } from './scan-newest.ts'
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

interface Found {
  spans: StoredSpan[]
  next: RecordPosition | null
  /** Segments that may hold more and cannot be read, where records are asked for by id. */
  damaged?: number
}

/** Records, the newest arrival first; inside one commit the latest start first. */
export function answerRecords(connection: TelemetryConnection, question: RecordsQuestion): RecordsAnswer {
  const { spans, next, damaged = 0 } = findSpans(connection, question)
  return { itemsJson: `[${toRecords(connection, question, spans).join(',')}]`, next, omitted: omittedSegments(damaged) }
}

function findSpans(connection: TelemetryConnection, question: RecordsQuestion): Found {
  const { traceId, spanId, projectNo } = question
  if (traceId === null) return scanNewest(connection, question)
  if (spanId === null) return ofTrace(connection, question, traceId)
  return { spans: [...readSpans(connection, projectNo, [{ traceId, spanId }]).values()], next: null }
}

function ofTrace(connection: TelemetryConnection, question: RecordsQuestion, traceId: Uint8Array): Found {
  const { db, hasher, index } = connection
  const { projectNo, limit, after, off } = question
  const isWanted = createMatch(question, off, createDecidedSignals(connection, projectNo))
  const isBehind = createIsBehind(after)
  const damaged = new Set<number>()
  const placed = [...readTraces(db, hasher, projectNo, [traceId], { index, damaged }).values()]
    .flat()
    .filter(isWanted)
    .map((stored) => ({ stored, place: placeOf(stored) }))
    .filter(({ place }) => isBehind(place))
    .sort((a, b) => comparePlaces(a.place, b.place))
  const page = placed.slice(0, limit)
  const last = page.at(-1)
  const next = last && placed.length > limit ? toPosition(last.place) : null
  return { spans: page.map(({ stored }) => stored), next, damaged: damaged.size }
}

/** The records of these spans, each as JSON. */
export function toRecords(
  connection: TelemetryConnection,
  question: RecordOwner & { limits: ShownLimits },
  spans: readonly StoredSpan[],
): string[] {
  const sessionOf = createSessionOf(connection, question, spans)
  const off = new Set(question.off)
  const decided = createDecidedSignals(connection, question.projectNo)
  return spans.map((stored) => {
    const detection = toTraceSpan(stored.ctx, off).detection ?? decided(stored.ctx.span)
    const signalType = detection?.signal ?? null
    const how = { receivedAtMs: stored.receivedMs, sessionId: sessionOf(stored), signalType, limits: question.limits }
    return JSON.stringify(normalizeSpan(stored.ctx, how))
  })
}
