import type { StoredSpan } from '@loopkit/shared/database/telemetry/read-trace'
import type { RecordKind } from '@loopkit/shared/database/telemetry/record-codecs'
import { type OpenedSegment, openStoredSegment } from '@loopkit/shared/database/telemetry/segment-damage'
import type { SignalType } from '@loopkit/shared/signals/signal-type'
import type { Omission } from '../../domain/packet/model.ts'
import type { TelemetryConnection } from '../telemetry-file.ts'
import { createDecidedSignals } from './decided-signals.ts'
import { JUDGE_FILTER } from './judge-span.ts'
import { omittedSegments } from './omitted-segments.ts'
import { pickSpans, readSpans, type SegmentRow, spansOf } from './read-spans.ts'
import {
  comparePlaces,
  createIsBehind,
  createIsWithin,
  createMatch,
  placeOf,
  type RecordFilter,
  type RecordPlace,
  type RecordPosition,
  toPosition,
} from './record-place.ts'
import { placesIn, recordIdOf } from './span-places.ts'

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
): { spans: StoredSpan[]; next: RecordPosition | null; omitted: Omission[] } {
  const damaged = new Set<number>()
  const streams = KINDS.map((kind) => createStream(connection, question, { kind, damaged }))
  const taken: Taken[] = []
  let scannedBytes = 0
  let pageBytes = 0
  const page = (next: RecordPosition | null) => {
    return { spans: takeSpans(connection, question.projectNo, taken), next, omitted: omittedSegments(damaged.size) }
  }
  for (;;) {
    const best = firstOf(streams)
    const behind = streams.find((stream) => !stream.head() && stream.newest() >= (best?.place.commit ?? 0))
    if (behind) {
      // What comes next may lie in a segment that is not opened yet.
      if (scannedBytes > SCANNED_MAX_BYTES) return page({ commit: behind.newest() + 1, start: null, recordId: '' })
      scannedBytes += behind.open()
      continue
    }
    if (!best) return page(null)
    const isFull = taken.length > 0 && pageBytes + best.bytes > PAGE_MAX_BYTES
    if (taken.length === question.limit || isFull) return page(toPosition(taken.at(-1)!.place))
    taken.push(best)
    pageBytes += best.bytes
    streams.find((stream) => stream.head() === best)!.next()
  }
}

const KINDS: readonly RecordKind[] = ['span', 'log']

/** A record that the page may hold. */
interface Taken extends Candidate {
  row: SegmentRow
  /** By the average of its segment. */
  bytes: number
}

/** Records of one kind in their order. Segments of a kind do not overlap in commits; those of two kinds do. */
interface Stream {
  head(): Taken | undefined
  next(): void
  /** The latest commit that a segment which is not opened yet may have; -1: there is none. */
  newest(): number
  /** Opens the next segment and says how many bytes it has. */
  open(): number
}

function createStream(
  connection: TelemetryConnection,
  question: ScanQuestion,
  { kind, damaged }: { kind: RecordKind; damaged: Set<number> },
): Stream {
  const { after } = question
  const load = createLoad(connection, question, kind)
  const isWanted = createMatch(question, question.off, createDecidedSignals(connection, question.projectNo))
  let newest = after === null ? Number.MAX_SAFE_INTEGER : after.start === null ? after.commit - 1 : after.commit
  let waiting: Taken[] = []
  let at = 0
  return {
    head: () => waiting[at],
    next: () => void at++,
    newest: () => newest,
    open() {
      const row = load(newest)
      newest = row ? row.first_commit - 1 : -1
      const found = row && candidatesIn(connection, row, { question, isWanted })
      if (found === null) damaged.add(row!.segment_id)
      waiting = found ?? []
      at = 0
      return row?.body_bytes ?? 0
    },
  }
}

function firstOf(streams: readonly Stream[]): Taken | undefined {
  const heads = streams.flatMap((stream) => stream.head() ?? [])
  return heads.sort((a, b) => comparePlaces(a.place, b.place))[0]
}

interface ScannedSegment extends SegmentRow {
  segment_id: number
  first_commit: number
}

/** One row at a time, each found anew: an open cursor would hold the connection while its rows are worked on. */
function createLoad({ db }: TelemetryConnection, question: ScanQuestion, kind: RecordKind) {
  const { projectNo, fromMs, toMs, eventFromMs, eventToMs } = question
  const find = db.prepare(
    `select segment_id, kind, first_commit, body, body_bytes, commits from segment
     where project_no = ? and kind = ? and first_commit <= ? and received_max_ms >= ? and received_min_ms < ?
       and event_max_ms >= ? and event_min_ms < ?
     order by first_commit desc limit 1`,
  )
  const last = Number.MAX_SAFE_INTEGER
  const bounds = [fromMs ?? -last, toMs ?? last, eventFromMs ?? -last, eventToMs ?? last]
  return (newest: number) => find.get(projectNo, kind, newest, ...bounds) as ScannedSegment | undefined
}

interface Candidate {
  /** Row in the segment. */
  at: number
  place: RecordPlace
}

/** null: the segment is damaged. */
function candidatesIn(
  { segments }: TelemetryConnection,
  row: ScannedSegment,
  { question, isWanted }: { question: ScanQuestion; isWanted: (stored: StoredSpan) => boolean },
): Taken[] | null {
  const opened = openStoredSegment(row, segments.open)
  if (opened === null) return null
  const isBehind = createIsBehind(question.after)
  const saysItself = question.service !== null || question.signal !== null
  const found = saysItself ? matching(row, opened, isWanted) : within(row, opened, question)
  const candidates = found.candidates.filter(({ place }) => isBehind(place))
  const bytes = Math.max(1, row.body_bytes / Math.max(1, found.records))
  return candidates.sort((a, b) => comparePlaces(a.place, b.place)).map((candidate) => ({ ...candidate, row, bytes }))
}

interface Candidates {
  candidates: Candidate[]
  /** All that the segment holds. */
  records: number
}

/** Where nothing is asked of what records say, none is decoded. */
function within(row: ScannedSegment, opened: OpenedSegment, question: ScanQuestion): Candidates {
  const isWithin = createIsWithin(question)
  const places = [...placesIn(row.segment_id, { kind: row.kind, ...opened }, () => true)]
  const wanted = places.filter((place) => isWithin(place.receivedMs, place))
  return { candidates: wanted.map((place) => ({ at: place.head.row, place })), records: places.length }
}

function matching(row: ScannedSegment, opened: OpenedSegment, isWanted: (stored: StoredSpan) => boolean): Candidates {
  const candidates: Candidate[] = []
  let at = 0
  for (const stored of spansOf(row, opened, JUDGE_FILTER)) {
    if (isWanted(stored)) candidates.push({ at, place: placeOf(stored) })
    at += 1
  }
  return { candidates, records: at }
}

/** The records themselves, in their order, without those that a later ended version has replaced. */
function takeSpans(connection: TelemetryConnection, projectNo: number, taken: readonly Taken[]): StoredSpan[] {
  const byPlace = new Map<Taken, StoredSpan>()
  for (const [row, ofRow] of Map.groupBy(taken, (one) => one.row)) {
    const inOrder = ofRow.toSorted((a, b) => a.at - b.at)
    pickSpans(row, connection.segments.open, new Set(inOrder.map(({ at }) => at))).forEach(
      (stored, n) => void byPlace.set(inOrder[n]!, stored),
    )
  }
  const unended = [...byPlace].filter(([{ row }, { ctx }]) => row.kind === 'span' && ctx.span.endUnixNano === 0n)
  const gone = new Set(
    replaced(
      connection,
      projectNo,
      unended.map(([, stored]) => stored),
    ),
  )
  const isGone = (one: Taken) => byPlace.get(one)!.ctx.span.endUnixNano === 0n && gone.has(recordIdOf(one.place.name))
  return taken.filter((one) => !isGone(one)).map((one) => byPlace.get(one)!)
}

/** Which of these records came again ended: they are listed where their end arrived. */
function replaced(connection: TelemetryConnection, projectNo: number, unended: readonly StoredSpan[]): string[] {
  const ids = unended.map(({ ctx }) => ctx.span)
  return [...readSpans(connection, projectNo, ids, JUDGE_FILTER)]
    .filter(([, { ctx }]) => ctx.span.endUnixNano !== 0n)
    .map(([recordId]) => recordId)
}
