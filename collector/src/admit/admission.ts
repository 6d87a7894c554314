import type { RecordKind } from '@loopkit/shared/database/telemetry/record-codecs'
import type { TraceHashWriter } from '@loopkit/shared/database/telemetry/trace-hash'
import { parseTraceId, TRACE_ID_BYTES } from '@loopkit/shared/otlp/ids'
import { rewriteTraces } from '@loopkit/shared/otlp/rewrite-traces'
import { REJECT_REASONS } from '@loopkit/shared/otlp/scan-traces'
import type { Caller } from '../receive/authenticate.ts'
import { addCount, type LedgerCounts } from './ledger.ts'
import type { PreparedTraces } from './prepare.ts'
import type { Quota } from './quota.ts'
import { createRejections, type Rejections } from './rejections.ts'
import type { SeenSpans, SpanState } from './seen-spans.ts'
import { createTraceCounts, type TraceCounts } from './trace-counts.ts'

/** What the store said of a row that the memory could not answer for. */
export const STORED = { no: 0, unended: 1, ended: 2 } as const
/** Added to it where the stored span surely has other content than the one that came. */
export const STORED_DIFFERS = 4

/** A body on its way to the disk: accepted spans, or kept log records, and nothing else. Everything it changes is applied by its commit or taken back. */
export interface AdmittedBody {
  owner: number
  projectNo: number
  recordKind: RecordKind
  body: Uint8Array
  spans: number
  /** Spans that use quota, the others replace one that had not ended; log records use none. */
  newSpans: number
  /** Trace id and span id of each replacing span, 24 bytes each: counted as a run already. */
  replaced: Uint8Array
  /** Pairs of words of the kept spans' trace hashes; neighbours differ. */
  traces: Uint32Array
  ledger: LedgerCounts
  /** Bodies that carry the first copy of something that this one repeats: they fail together. */
  dependsOn: Set<AdmittedBody>
  state: 'pending' | 'committed' | 'failed'
  /** That it is part of, once it is committed. */
  commit: number | null
  places: Uint32Array
  overtaken: { place: number; before: SpanState }[]
}

/** What became of a body's spans at the door. */
export interface Admission {
  /** null: nothing of it has to be stored. */
  stored: AdmittedBody | null
  dependsOn: Set<AdmittedBody>
  rejections: Rejections
  /** Counts of spans that are not stored; part of `stored` where there is one. */
  ledger: LedgerCounts
  /** The same by trace, as far as they have one; part of `stored` too. */
  traceCounts: LedgerCounts
}

export interface AdmissionContext {
  seen: SeenSpans
  quota: Quota
  /** Bodies that are pending, by owner number. */
  pending: Map<number, AdmittedBody>
  hashTrace: TraceHashWriter
}

/** One body while its rows are judged, in slices. */
export interface Admitting {
  context: AdmissionContext
  caller: Caller
  prepared: PreparedTraces
  /** Per row what the store said (STORED), or null where nothing had to be asked. */
  stored: Uint8Array | null
  owner: number
  drop: Uint8Array
  dropped: number
  places: Uint32Array
  /** Row of each place, in the same order. */
  rows: Uint32Array
  inserted: number
  rowOfPlace: Map<number, number> | null
  replacedRows: number[]
  overtaken: { place: number; before: SpanState }[]
  dependsOn: Set<AdmittedBody>
  rejections: Rejections
  ledger: LedgerCounts
  traceCounts: TraceCounts
}

const ACCEPTED = REJECT_REASONS.indexOf('accepted')

export function beginAdmission(
  context: AdmissionContext,
  caller: Caller,
  prepared: PreparedTraces,
  stored: Uint8Array | null,
  owner: number,
): Admitting {
  const { count } = prepared.scan
  const rejections = createRejections()
  const ledger: LedgerCounts = new Map()
  const traceCounts = createTraceCounts()
  for (const { reason, traceId, count: refused } of prepared.rejected) {
    rejections.add(reason, traceId, refused)
    addCount(ledger, `rejected:${reason}`, refused)
    const id = parseTraceId(traceId)
    if (id) countTrace(context, traceCounts, caller.projectNo, id.bytes, 0, `rejected:${reason}`, refused)
  }
  addCount(ledger, 'not_kept:logs', prepared.notKept)
  return {
    context,
    caller,
    prepared,
    stored,
    owner,
    drop: new Uint8Array(count),
    dropped: 0,
    places: new Uint32Array(count),
    rows: new Uint32Array(count),
    inserted: 0,
    rowOfPlace: null,
    replacedRows: [],
    overtaken: [],
    dependsOn: new Set(),
    rejections,
    ledger,
    traceCounts,
  }
}

/**
 * Judges rows `from` to `to`: refused, known, replacing, over quota or new. New spans are entered as pending at once, so
 * that another body that comes between two slices sees them.
 */
export function admitRows(admitting: Admitting, from: number, to: number): void {
  const { prepared, stored } = admitting
  const { seen } = admitting.context
  const { reject } = prepared.scan
  const { spans, ended } = prepared.keys
  for (let i = from; i < to; i++) {
    if (reject[i] !== ACCEPTED) {
      rejectRow(admitting, i, REJECT_REASONS[reject[i]!]!)
      continue
    }
    const place = seen.find(spans[i * 2]!, spans[i * 2 + 1]!)
    if (place >= 0) admitKnown(admitting, i, place)
    else admitByStore(admitting, i, stored?.[i] ?? STORED.no, ended[i] === 1)
  }
}

/** Memory does not know the span; the store may. */
function admitByStore(admitting: Admitting, row: number, answer: number, hasEnded: boolean): void {
  const version = answer & ~STORED_DIFFERS
  // The id of a log record says what is in it, however it was encoded.
  const differs = answer !== version && admitting.prepared.recordKind === 'span'
  if (version === STORED.no) admitNew(admitting, row)
  else if (version === STORED.unended && hasEnded) replaceStored(admitting, row)
  else dropRow(admitting, row, differs ? 'conflict' : 'deduplicated')
}

function admitNew(admitting: Admitting, row: number): void {
  const { context, caller, prepared, owner } = admitting
  const usesQuota = prepared.recordKind === 'span'
  if (usesQuota && !context.quota.reserve(caller.projectNo, caller.quotaSpans))
    return void rejectRow(admitting, row, 'quota_exceeded')
  const { keys } = prepared
  const place = context.seen.insertPending(
    keys.spans[row * 2]!,
    keys.spans[row * 2 + 1]!,
    keys.contents[row]!,
    keys.ended[row] === 1,
    owner,
  )
  context.seen.noteTrace(keys.traces[row * 2]!, keys.traces[row * 2 + 1]!)
  admitting.rowOfPlace?.set(place, row)
  admitting.places[admitting.inserted] = place
  admitting.rows[admitting.inserted++] = row
}

/** The memory knows the span: it is stored, or pending in another body or in this one. */
function admitKnown(admitting: Admitting, row: number, place: number): void {
  const { context, prepared, owner } = admitting
  const { keys } = prepared
  const before = context.seen.stateAt(place)
  const isReplacement = !before.ended && keys.ended[row] === 1
  if (before.owner !== 0 && before.owner !== owner) {
    const first = context.pending.get(before.owner)
    if (first) admitting.dependsOn.add(first)
  }
  // The id of a log record says what is in it, however it was encoded.
  const isSame = prepared.recordKind === 'log' || before.content === keys.contents[row]
  if (!isReplacement) return void dropRow(admitting, row, isSame ? 'deduplicated' : 'conflict')
  context.seen.setState(place, { owner, ended: true, content: keys.contents[row]! })
  if (before.owner === owner) return void replaceWithinBody(admitting, row, place)
  admitting.overtaken.push({ place, before })
  admitting.replacedRows.push(row)
  countRow(admitting, row, 'replaced')
}

/** Both versions came in one body: the earlier row leaves it, and the later one takes its place in every count. */
function replaceWithinBody(admitting: Admitting, row: number, place: number): void {
  const { rowOfPlace, places, rows, inserted } = admitting
  const byPlace = rowOfPlace ?? new Map(Array.from(places.subarray(0, inserted), (at, n) => [at, rows[n]!]))
  admitting.rowOfPlace = byPlace
  const earlier = byPlace.get(place)
  if (earlier === undefined) return
  byPlace.set(place, row)
  dropRow(admitting, earlier, 'replaced')
}

/** The store holds the span unended; the memory learns of it now, so that a second replacement is a repeat. */
function replaceStored(admitting: Admitting, row: number): void {
  const { context, prepared, owner } = admitting
  const { keys } = prepared
  const place = context.seen.insertPending(keys.spans[row * 2]!, keys.spans[row * 2 + 1]!, keys.contents[row]!, true, owner)
  admitting.overtaken.push({ place, before: { owner: 0, ended: false, content: keys.contents[row]! } })
  admitting.replacedRows.push(row)
  countRow(admitting, row, 'replaced')
}

function rejectRow(admitting: Admitting, row: number, reason: string): void {
  const { body, scan } = admitting.prepared
  const at = scan.traceIdAt[row]!
  const traceId = at + 16 <= body.length ? Buffer.from(body.buffer, body.byteOffset + at, 16).toString('hex') : ''
  admitting.rejections.add(reason, traceId)
  dropRow(admitting, row, `rejected:${reason}`)
}

function dropRow(admitting: Admitting, row: number, what: string): void {
  admitting.drop[row] = 1
  admitting.dropped++
  countRow(admitting, row, what)
}

/** A span that came and is not one more in the store. */
function countRow({ context, caller, prepared, ledger, traceCounts }: Admitting, row: number, what: string): void {
  addCount(ledger, what, 1)
  const { body, scan, keys } = prepared
  const at = scan.traceIdAt[row]!
  if (scan.reject[row] === ACCEPTED) traceCounts.add(keys.traces[row * 2]!, keys.traces[row * 2 + 1]!, what, 1)
  else if (at + TRACE_ID_BYTES <= body.length) countTrace(context, traceCounts, caller.projectNo, body, at, what, 1)
}

function countTrace(
  { hashTrace }: AdmissionContext,
  traceCounts: TraceCounts,
  projectNo: number,
  bytes: Uint8Array,
  idAt: number,
  what: string,
  count: number,
): void {
  const words = new Uint32Array(2)
  hashTrace(projectNo, bytes, idAt, words, 0)
  traceCounts.add(words[0]!, words[1]!, what, count)
}

/** Puts together what is to be stored. A body that lost spans is rewritten, so that a segment holds accepted spans only. */
export function endAdmission(admitting: Admitting): Admission {
  const { prepared, caller, context, owner, dependsOn, rejections, ledger } = admitting
  const traceCounts = admitting.traceCounts.entries()
  const { scan, body } = prepared
  const spans = scan.count - admitting.dropped
  if (spans === 0) return { stored: null, dependsOn, rejections, ledger, traceCounts }
  const stored: AdmittedBody = {
    owner,
    projectNo: caller.projectNo,
    recordKind: prepared.recordKind,
    body: admitting.dropped === 0 ? body : rewriteTraces(body, scan, admitting.drop),
    spans,
    newSpans: admitting.inserted,
    replaced: idsOf(prepared, admitting.replacedRows),
    traces: tracesOf(admitting, spans),
    ledger: traceCounts.size > 0 ? new Map([...ledger, ...traceCounts]) : ledger,
    dependsOn,
    state: 'pending',
    commit: null,
    places: admitting.places.slice(0, admitting.inserted),
    overtaken: admitting.overtaken,
  }
  context.pending.set(owner, stored)
  return { stored, dependsOn, rejections, ledger, traceCounts }
}

function idsOf({ body, scan }: PreparedTraces, rows: readonly number[]): Uint8Array {
  const ids = new Uint8Array(rows.length * 24)
  rows.forEach((row, n) => {
    ids.set(body.subarray(scan.traceIdAt[row]!, scan.traceIdAt[row]! + 16), n * 24)
    ids.set(body.subarray(scan.spanIdAt[row]!, scan.spanIdAt[row]! + 8), n * 24 + 16)
  })
  return ids
}

function tracesOf({ prepared, drop }: Admitting, spans: number): Uint32Array {
  const { traces } = prepared.keys
  const out = new Uint32Array(spans * 2)
  let length = 0
  for (let i = 0; i < drop.length; i++) {
    const low = traces[i * 2]!
    const high = traces[i * 2 + 1]!
    if (drop[i] === 1 || (length > 0 && out[length - 2] === low && out[length - 1] === high)) continue
    out[length++] = low
    out[length++] = high
  }
  return out.slice(0, length)
}

/** The body's commit is on disk: only now are its spans known for good. */
export function confirmAdmission({ seen, quota, pending }: AdmissionContext, stored: AdmittedBody): void {
  stored.state = 'committed'
  pending.delete(stored.owner)
  if (stored.recordKind === 'span') quota.confirm(stored.projectNo, stored.newSpans)
  for (const place of stored.places) seen.settle(place, stored.owner)
  for (const { place } of stored.overtaken) seen.settle(place, stored.owner)
}

/** The body will not be committed: everything is as if it had never come. */
export function revokeAdmission({ seen, quota, pending }: AdmissionContext, stored: AdmittedBody): void {
  stored.state = 'failed'
  const { owner } = stored
  if (stored.recordKind === 'span') quota.release(stored.projectNo, stored.newSpans)
  for (const place of stored.places) if (seen.stateAt(place).owner === owner) seen.remove(place)
  for (const { place, before } of stored.overtaken) {
    if (seen.stateAt(place).owner !== owner) continue
    const first = before.owner === 0 ? null : [...stored.dependsOn].find((body) => body.owner === before.owner)
    if (first?.state === 'failed') seen.remove(place)
    else seen.setState(place, first?.state === 'committed' ? { ...before, owner: 0 } : before)
  }
  pending.delete(owner)
}
