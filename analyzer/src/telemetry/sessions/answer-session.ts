import { durationNano, nanoToIso } from '@loopkit/shared/span/nanoseconds'
import type { ShownLimits } from '@loopkit/shared/span/normalize-span'
import type { Omission } from '../../domain/packet/model.ts'
import { countTokens } from '../../domain/token-count.ts'
import { oneLine } from '../../domain/untrusted-text.ts'
import { toRecords } from '../answer-records.ts'
import { eventMsOf, shownIds } from '../records/judge-span.ts'
import type { RecordOwner } from '../records/record-sessions.ts'
import { nameOf, placeName, recordIdOf } from '../records/span-places.ts'
import type { TelemetryConnection } from '../telemetry-file.ts'
import { type FoundSession, failingWithAncestors, findSession, type SessionEntry, type SessionSpan } from './find-session.ts'
import { findSessionHints, type SessionHint } from './session-hints.ts'

export type SessionView = 'full' | 'skeleton' | 'errors'

/** The last record of a page. */
export interface SessionPosition {
  start: string
  recordId: string
}

export interface SessionQuestion extends RecordOwner {
  /** A session id or a trace id, as it was sent. */
  id: string
  view: SessionView
  budgetTokens: number | null
  limit: number
  after: SessionPosition | null
  /** Bounds of event time; the end is not included. */
  eventFromMs: number | null
  eventToMs: number | null
  limits: ShownLimits
}

export interface SessionAnswer {
  /** As it was sent; null where it alone would fill the budget. */
  sessionId: string | null
  /** Records of the view, all pages together. */
  records: number
  traces: number
  omitted: Omission[]
  /** Of the view of errors, on its first page. */
  hints: SessionHint[]
  itemsJson: string
  next: SessionPosition | null
}

/** Tokens that the answer around the items takes, cursor and omissions included, the session id not. */
const FRAME_TOKENS = 190
/** Longest session id that an answer with a budget repeats. */
const ID_TOKENS_MAX = 60
/** Bytes of JSON in one page. */
const PAGE_MAX_BYTES = 16 * 1024 ** 2
/** Records decoded at once at first, so that a page that is cut short has not decoded all of it; doubled from there. */
const FIRST_CHUNK = 50
/** Characters of a skeleton's line. */
const LINE_CHARS = 240

/** One page of a session or trace in order of time; null where no record is known under this id. */
export function answerSession(connection: TelemetryConnection, question: SessionQuestion): SessionAnswer | null {
  const found = findSession(connection, question, question.id)
  if (!found) return null
  const within = found.entries.filter(isWithin(question))
  const isErrors = question.view === 'errors'
  const errors = isErrors ? readErrors(found, question) : null
  const entries = errors?.entries ?? within
  const rest = entries.filter(isBehind(question.after)).slice(0, question.limit + 1)
  const items = collectItems(connection, question, { found, rest })
  const last = rest[items.length - 1]
  const { hints, omitted } = hintsOf(connection, question, errors?.spans ?? [])
  const sessionId = found.readSessionId()
  const repeatsId = question.budgetTokens === null || countTokens(sessionId) <= ID_TOKENS_MAX
  return {
    sessionId: repeatsId ? sessionId : null,
    records: entries.length,
    traces: found.traces,
    omitted: [...found.omitted, ...omitted].filter(({ count }) => count > 0),
    hints,
    itemsJson: `[${items.join(',')}]`,
    next: last && items.length < rest.length ? toPosition(last) : null,
  }
}

/** All spans of the session, and the failing ones with what is above them. */
function readErrors(found: FoundSession, question: SessionQuestion): { spans: SessionSpan[]; entries: SessionEntry[] } {
  const spans = found.readSpans(found.entries)
  const shown = new Set(failingWithAncestors(spans).map(({ traceId, spanId }) => nameOf(traceId, spanId)))
  return { spans, entries: found.entries.filter(({ name }) => shown.has(name)).filter(isWithin(question)) }
}

function toPosition({ startUnixNano, name }: SessionEntry): SessionPosition {
  return { start: String(startUnixNano), recordId: recordIdOf(name) }
}

/** Hints are not paged; where a budget is set, records go before them. */
function hintsOf(
  connection: TelemetryConnection,
  question: SessionQuestion,
  spans: readonly SessionSpan[],
): { hints: SessionHint[]; omitted: Omission[] } {
  const isFirst = question.view === 'errors' && question.after === null
  if (!isFirst || !spans.some(({ view }) => view.kind === 'chat')) return { hints: [], omitted: [] }
  const { hints, leftOut } = findSessionHints(
    connection,
    question,
    spans.filter(({ span }) => isWithin(question)(span)),
  )
  if (question.budgetTokens === null) return { hints, omitted: [{ what: 'hints', count: leftOut, reason: 'too_many' }] }
  return { hints: [], omitted: [{ what: 'hints', count: hints.length + leftOut, reason: 'budget' }] }
}

type Timed = Pick<SessionEntry, 'startUnixNano' | 'endUnixNano'>

function isWithin({ eventFromMs, eventToMs }: SessionQuestion): (found: Timed) => boolean {
  if (eventFromMs === null && eventToMs === null) return () => true
  const [from, to] = [eventFromMs ?? Number.NEGATIVE_INFINITY, eventToMs ?? Number.POSITIVE_INFINITY]
  return (times) => eventMsOf(times) >= from && eventMsOf(times) < to
}

function isBehind(after: SessionPosition | null): (entry: SessionEntry) => boolean {
  if (after === null) return () => true
  const start = BigInt(after.start)
  const last = placeName(after.recordId) ?? ''
  return ({ startUnixNano, name }) => (startUnixNano === start ? name > last : startUnixNano > start)
}

interface Paged {
  found: FoundSession
  rest: readonly SessionEntry[]
}

/** As many records as the page, its bytes and its tokens allow; at least one, in a line or by its id where it does not fit whole. */
function collectItems(connection: TelemetryConnection, question: SessionQuestion, { found, rest }: Paged): string[] {
  const { budgetTokens, limit, view } = question
  const items: string[] = []
  let bytes = 0
  let tokensLeft = budgetTokens === null ? Number.POSITIVE_INFINITY : budgetTokens - FRAME_TOKENS - ID_TOKENS_MAX
  for (let at = 0, size = FIRST_CHUNK; at < rest.length && items.length < limit; at += size, size *= 2) {
    const chunk = rest.slice(at, at + size)
    const texts =
      view === 'skeleton' ? found.readSpans(chunk).map(skeletonOf) : toRecords(connection, question, found.readWhole(chunk))
    for (const [i, whole] of texts.entries()) {
      const text =
        items.length === 0 ? firstThatFits([whole, () => inLine(found, chunk[i]!), () => idOnly(chunk[i]!)], tokensLeft) : whole
      bytes += text.length
      if (tokensLeft !== Number.POSITIVE_INFINITY) tokensLeft -= countTokens(`${text},`)
      const full = items.length === limit || (items.length > 0 && (bytes > PAGE_MAX_BYTES || tokensLeft < 0))
      if (full) return items
      items.push(text)
    }
  }
  return items
}

/** The last form stands even where it does not fit: it is short, and a page without a record would never end. */
function firstThatFits([whole, line, id]: [string, () => string, () => string], tokens: number): string {
  if (tokens === Number.POSITIVE_INFINITY || countTokens(whole) <= tokens) return whole
  const short = line()
  return countTokens(short) <= tokens ? short : id()
}

function inLine(found: FoundSession, entry: SessionEntry): string {
  const [span] = found.readSpans([entry])
  return span ? skeletonOf(span) : idOnly(entry)
}

function idOnly({ name }: SessionEntry): string {
  return JSON.stringify({ record_id: recordIdOf(name) })
}

/** One line a record, without attributes. */
function skeletonOf({ span, view, detection, recordId }: SessionSpan): string {
  const ids = shownIds(span)
  const durationMs = span.endUnixNano === 0n ? null : Number(durationNano(span.startUnixNano, span.endUnixNano) / 1000n) / 1000
  const parts = [
    nanoToIso(span.startUnixNano),
    span.log ? `log ${span.log.severityText || span.log.severityNumber}` : durationMs === null ? 'not ended' : `${durationMs} ms`,
    view.service,
    view.operation === span.name ? view.operation : `${view.operation} (${span.name})`,
    detection === null ? 'ok' : `${detection.signal}: ${detection.message ?? detection.errorType ?? ''}`,
  ]
  return JSON.stringify({
    record_id: recordId,
    trace_id: ids.traceId,
    span_id: ids.spanId,
    parent_span_id: ids.parentSpanId,
    signal_type: detection?.signal ?? null,
    line: oneLine(parts.join(' · '), LINE_CHARS),
  })
}
