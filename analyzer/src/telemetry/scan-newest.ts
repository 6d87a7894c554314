import type { StoredSpan } from '@loopkit/shared/database/telemetry/read-trace'
import type { SignalType } from '@loopkit/shared/signals/signal-type'
import { JUDGE_FILTER } from './judge-span.ts'
import { pickSpans, readSpans, type SegmentRow, spansOfSegment } from './read-spans.ts'
import {
  comparePlaces,
  createIsBehind,
  createMatch,
  placeOf,
  type RecordFilter,
  type RecordPlace,
  type RecordPosition,
  toPosition,
} from './record-place.ts'
import type { TelemetryConnection } from './telemetry-file.ts'

export interface ScanQuestion extends RecordFilter {
  projectNo: number
  off: readonly SignalType[]
  limit: number
  after: RecordPosition | null
}

/** Bytes of segments that one page looks through; a filter that matches nothing goes on from there with the next page. */
const SCANNED_MAX_BYTES = 64 * 1024 ** 2
/** Bytes of spans that one page holds, by the average of their segment; the first one is always taken. */
const PAGE_MAX_BYTES = 8 * 1024 ** 2

/** A page of records over all traces, newest arrival first. It may hold fewer than `limit` and still have a next one. */
export function scanNewest(
  connection: TelemetryConnection,
  question: ScanQuestion,
): { spans: StoredSpan[]; next: RecordPosition | null } {
  const spans: StoredSpan[] = []
  let scannedBytes = 0
  let pageBytes = 0
  let taken = 0
  let behind: RecordPosition | null = question.after
  for (const row of segmentsOf(connection, question)) {
    if (scannedBytes > SCANNED_MAX_BYTES) return { spans, next: behind }
    scannedBytes += row.body_bytes
    const { candidates, averageBytes } = candidatesIn(row, question)
    const room = Math.min(
      question.limit - taken,
      Math.max(taken === 0 ? 1 : 0, Math.floor((PAGE_MAX_BYTES - pageBytes) / averageBytes)),
    )
    const fitting = candidates.slice(0, room)
    spans.push(...takeSpans(connection, question.projectNo, { row, fitting }))
    taken += fitting.length
    pageBytes += fitting.length * averageBytes
    const last = fitting.at(-1)
    if (last) behind = toPosition(last.place)
    if (fitting.length < candidates.length) return { spans, next: behind }
    behind = { commit: row.first_commit, start: null, recordId: '' }
  }
  return { spans, next: null }
}

interface ScannedSegment extends SegmentRow {
  first_commit: number
}

/** One row at a time, each found anew: an open cursor would hold the connection while its rows are worked on. */
function* segmentsOf({ db }: TelemetryConnection, question: ScanQuestion): Generator<ScannedSegment> {
  const { projectNo, after, fromMs, toMs, eventFromMs, eventToMs } = question
  const next = db.prepare(
    `select first_commit, body, body_bytes, commits from segment
     where project_no = ? and kind = 'span' and first_commit <= ? and received_max_ms >= ? and received_min_ms < ?
       and event_max_ms >= ? and event_min_ms < ?
     order by first_commit desc limit 1`,
  )
  const last = Number.MAX_SAFE_INTEGER
  let newest = after === null ? last : after.start === null ? after.commit - 1 : after.commit
  for (;;) {
    const bounds = [fromMs ?? -last, toMs ?? last, eventFromMs ?? -last, eventToMs ?? last]
    const row = next.get(projectNo, newest, ...bounds) as ScannedSegment | undefined
    if (!row) return
    yield row
    newest = row.first_commit - 1
  }
}

interface Candidate {
  /** Row in the segment. */
  at: number
  place: RecordPlace
}

function candidatesIn(row: SegmentRow, question: ScanQuestion): { candidates: Candidate[]; averageBytes: number } {
  const candidates: Candidate[] = []
  const isWanted = createMatch(question, question.off)
  const isBehind = createIsBehind(question.after)
  let at = 0
  for (const stored of spansOfSegment(row, JUDGE_FILTER)) {
    const place = isWanted(stored) ? placeOf(stored) : null
    if (place && isBehind(place)) candidates.push({ at, place })
    at += 1
  }
  candidates.sort((a, b) => comparePlaces(a.place, b.place))
  return { candidates, averageBytes: Math.max(1, row.body_bytes / Math.max(1, at)) }
}

/** The records themselves, in their order, without those that a later ended version has replaced. */
function takeSpans(
  connection: TelemetryConnection,
  projectNo: number,
  { row, fitting }: { row: SegmentRow; fitting: Candidate[] },
): StoredSpan[] {
  if (fitting.length === 0) return []
  const picked = pickSpans(row, new Set(fitting.map(({ at }) => at)))
  const byId = new Map(picked.map((stored) => [placeOf(stored).recordId, stored]))
  const unended = picked.filter(({ ctx }) => ctx.span.endUnixNano === 0n)
  for (const recordId of replaced(connection, projectNo, unended)) byId.delete(recordId)
  return fitting.map(({ place }) => byId.get(place.recordId)).filter((stored) => stored !== undefined)
}

/** Which of these records came again ended: they are listed where their end arrived. */
function replaced(connection: TelemetryConnection, projectNo: number, unended: readonly StoredSpan[]): string[] {
  const ids = unended.map(({ ctx }) => ctx.span)
  return [...readSpans(connection, projectNo, ids, JUDGE_FILTER)]
    .filter(([, { ctx }]) => ctx.span.endUnixNano !== 0n)
    .map(([recordId]) => recordId)
}
