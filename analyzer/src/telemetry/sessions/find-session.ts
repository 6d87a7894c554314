import type { SqliteDatabase } from '@loopkit/shared/database/open'
import { toIndexText } from '@loopkit/shared/database/telemetry/index-text'
import type { StoredSpan } from '@loopkit/shared/database/telemetry/read-trace'
import type { AttributeFilter } from '@loopkit/shared/otlp/attribute-filter'
import { parseTraceId, toHex } from '@loopkit/shared/otlp/ids'
import type { TraceSpan } from '@loopkit/shared/signals/model'
import { isLoneTrace } from '@loopkit/shared/span/lone-trace-id'
import { decodeRecordId, encodeRecordId } from '@loopkit/shared/span/record-id'
import type { Omission } from '../../domain/packet/model.ts'
import { createDecidedSignals } from '../records/decided-signals.ts'
import { eachTrace } from '../records/each-trace.ts'
import { JUDGE_FILTER, sessionText, toTraceSpan } from '../records/judge-span.ts'
import { omittedRecords, omittedSegments } from '../records/omitted-segments.ts'
import { readSpans } from '../records/read-spans.ts'
import { type RecordOwner, sessionsIn } from '../records/record-sessions.ts'
import { findSpanPlaces, nameOf, type SpanPlace } from '../records/span-places.ts'
import type { TelemetryConnection } from '../telemetry-file.ts'

/** Traces of one session and spans of them that one question reads; what is beyond is said to be left out. */
const SESSION_TRACES_MAX = 1000
const SESSION_SPANS_MAX = 100_000

/** One record of a session before it is decoded whole. */
export interface SessionSpan extends TraceSpan {
  recordId: string
  traceId: Uint8Array
  spanId: Uint8Array
}

/** One record of a session: where it lies, or what was read of it already. */
export type SessionEntry = SpanPlace | ReadEntry

type ReadEntry = Pick<SpanPlace, 'startUnixNano' | 'endUnixNano' | 'name'> & { span: SessionSpan }

export interface FoundSession {
  /** As it was sent; any record that was read before says it. */
  readSessionId(): string
  /** In order of time: start, then record id. */
  entries: SessionEntry[]
  traces: number
  omitted: Omission[]
  /** What these records show by themselves, else what the decision of their trace says of them. */
  readSpans(entries: readonly SessionEntry[]): SessionSpan[]
  /** These records as they were sent. */
  readWhole(entries: readonly SessionEntry[]): StoredSpan[]
}

/** The traces of a session, or the one trace that was asked for. */
export interface SessionTraces {
  /** All of them, the first to arrive first. */
  traceIds: Uint8Array[]
  /** The session that was named; null where a trace was. */
  sessionNo: number | null
  leftOut: number
}

/** The session of this id, else the trace of this id, by the text that was sent; null where neither is known. */
export function findSessionTraces({ db }: TelemetryConnection, projectNo: number, id: string): SessionTraces | null {
  const sessionNo = db
    .prepare('select session_no from session where project_no = ? and session_id = ? and explicit = 1')
    .pluck()
    .get(projectNo, toIndexText(id)) as number | undefined
  const traceIds = sessionNo === undefined ? [] : readTraceIds(db, projectNo, sessionNo)
  if (sessionNo !== undefined && traceIds.length > 0) {
    const leftOut = Math.max(0, traceIds.length - SESSION_TRACES_MAX)
    return { traceIds: traceIds.slice(0, SESSION_TRACES_MAX), sessionNo, leftOut }
  }
  const traceId = loneTraceOf(id) ?? parseTraceId(id)?.bytes
  return traceId ? { traceIds: [traceId], sessionNo: null, leftOut: 0 } : null
}

function readTraceIds(db: SqliteDatabase, projectNo: number, sessionNo: number): Uint8Array[] {
  const find = db.prepare(
    'select trace_id from session_trace where project_no = ? and session_no = ? order by received_ms, trace_hash limit ?',
  )
  return find.pluck().all(projectNo, sessionNo, SESSION_TRACES_MAX + 1) as Uint8Array[]
}

/** null where nothing is known under this id. */
export function findSession(connection: TelemetryConnection, owner: RecordOwner, id: string): FoundSession | null {
  const named = findSessionTraces(connection, owner.projectNo, id)
  if (named === null) return null
  const isShared = named.sessionNo !== null && sharesTraces(connection.db, owner.projectNo, named.sessionNo)
  const found = isShared ? findParts(connection, owner, { ...named, id }) : findWhole(connection, owner, { ...named, id })
  return found.entries.length === 0 && found.omitted.length === 0 ? null : found
}

/** Whether a trace of the session names another session, too. */
function sharesTraces(db: SqliteDatabase, projectNo: number, sessionNo: number): boolean {
  const other = db.prepare(
    `select 1 from session_trace own join session_trace t on t.project_no = own.project_no and t.trace_hash = own.trace_hash
       join session s on s.session_no = t.session_no
     where own.project_no = ? and own.session_no = ? and s.explicit = 1 and s.session_no <> own.session_no limit 1`,
  )
  return other.get(projectNo, sessionNo) !== undefined
}

type Named = SessionTraces & { id: string }

/** Every record of its traces is of the session, so that only those of a page are read. */
function findWhole(
  connection: TelemetryConnection,
  owner: RecordOwner,
  { id, sessionNo, traceIds, leftOut }: Named,
): FoundSession {
  const found = findSpanPlaces(connection, owner.projectNo, traceIds)
  const toSessionSpan = createToSessionSpan(connection, owner)
  let shown: StoredSpan | undefined
  const read = (wanted: readonly SessionEntry[], filter?: AttributeFilter) => {
    const stored = found.read(
      wanted.filter((entry) => 'head' in entry),
      filter,
    )
    shown ??= stored[0]
    return stored
  }
  return {
    readSessionId() {
      if (sessionNo !== null) return id
      const span = (shown ?? read(found.places.slice(0, 1), JUDGE_FILTER)[0])?.ctx.span
      return span ? sessionText(toHex(span.traceId), span) : id
    },
    entries: found.places,
    traces: traceIds.length,
    omitted: [...omittedTraces(leftOut), ...omittedRecords(found.leftOut), ...omittedSegments(found.damaged)],
    readSpans: (wanted) => read(wanted, JUDGE_FILTER).map(toSessionSpan),
    readWhole: (wanted) => read(wanted),
  }
}

/** Which records of its traces are of the session shows only when all of them are judged. */
function findParts(connection: TelemetryConnection, owner: RecordOwner, { id, traceIds, leftOut }: Named): FoundSession {
  const toSessionSpan = createToSessionSpan(connection, owner)
  const damaged = new Set<number>()
  const spans: SessionSpan[] = []
  let read = 0
  for (const { stored } of eachTrace(connection, owner.projectNo, traceIds, JUDGE_FILTER, damaged)) {
    if (spans.length >= SESSION_SPANS_MAX) break
    read += 1
    const sessions = sessionsIn(owner, stored)
    const own = stored.filter(({ ctx }) => toIndexText(sessions.get(toHex(ctx.span.spanId)) ?? '') === toIndexText(id))
    spans.push(...own.map(toSessionSpan))
  }
  return {
    readSessionId: () => id,
    entries: spans.map(toEntry).sort(inTime),
    traces: traceIds.length,
    omitted: [...omittedTraces(leftOut + traceIds.length - read), ...omittedSegments(damaged.size)],
    readSpans: spansOf,
    readWhole(wanted) {
      const ids = spansOf(wanted)
      const stored = readSpans(connection, owner.projectNo, ids)
      return ids.flatMap(({ recordId }) => stored.get(recordId) ?? [])
    },
  }
}

function toEntry(span: SessionSpan): ReadEntry {
  const { startUnixNano, endUnixNano } = span.span
  return { startUnixNano, endUnixNano, name: nameOf(span.traceId, span.spanId), span }
}

const spansOf = (entries: readonly SessionEntry[]) => entries.flatMap((entry) => ('span' in entry ? entry.span : []))

function inTime(a: SessionEntry, b: SessionEntry): number {
  if (a.startUnixNano !== b.startUnixNano) return a.startUnixNano < b.startUnixNano ? -1 : 1
  return a.name < b.name ? -1 : 1
}

const omittedTraces = (count: number) => omission({ what: 'traces', count, reason: 'session_too_large' })

function omission(one: Omission): Omission[] {
  return one.count > 0 ? [one] : []
}

/** A log record without a trace is a session by itself, under the id of the record. */
function loneTraceOf(id: string): Uint8Array | null {
  const ids = decodeRecordId(id)
  return ids && isLoneTrace(ids.traceId, ids.spanId) ? ids.traceId : null
}

/** A record shows what it shows by itself, else what the decision of its trace says of it. */
function createToSessionSpan(
  connection: TelemetryConnection,
  { projectNo, off }: RecordOwner,
): (stored: StoredSpan) => SessionSpan {
  const signalsOff = new Set(off)
  const decided = createDecidedSignals(connection, projectNo)
  return ({ ctx }) => {
    const { traceId, spanId } = ctx.span
    const seen = toTraceSpan(ctx, signalsOff)
    return { ...seen, detection: seen.detection ?? decided(ctx.span), recordId: encodeRecordId(traceId, spanId), traceId, spanId }
  }
}

/** Ancestors kept above one failing record. */
const ANCESTORS_MAX = 1000

/** The failing records and everything above them, in the same order. */
export function failingWithAncestors(spans: readonly SessionSpan[]): SessionSpan[] {
  const byId = new Map(spans.map((span) => [nameOf(span.traceId, span.spanId), span]))
  const kept = new Set<SessionSpan>()
  for (const failing of spans.filter(({ detection }) => detection !== null)) {
    let at: SessionSpan | undefined = failing
    for (let steps = 0; at && !kept.has(at) && steps < ANCESTORS_MAX; steps++) {
      kept.add(at)
      const parent: Uint8Array | null = at.span.parentSpanId
      at = parent === null ? undefined : byId.get(nameOf(at.traceId, parent))
    }
  }
  return spans.filter((span) => kept.has(span))
}
