import { toIndexText } from '@loopkit/shared/database/telemetry/index-text'
import { createAttributeFilter } from '@loopkit/shared/otlp/decode-traces'
import type { SpanInContext } from '@loopkit/shared/otlp/model'
import { detect } from '@loopkit/shared/signals/detect'
import type { SignalType } from '@loopkit/shared/signals/signal-type'
import { encodeRecordId } from '@loopkit/shared/span/record-id'
import { viewSpan } from '@loopkit/shared/span/view-span'
import { comparableValue, DERIVED_MARK, isComparable } from '../domain/contrast/contrast-attributes.ts'
import { type ContrastRecord, type Contrasts, contrastRecords } from '../domain/contrast/contrast-records.ts'
import { windowBoundsMs } from '../domain/window.ts'
import type { EvidenceRow } from './evidence-rows.ts'
import { JUDGE_FILTER, spanNumber } from './judge-span.ts'
import type { PainQuestion, RankedPain } from './pain-question.ts'
import { pickSpans, type SegmentRow, type SpanId, spansOfSegment } from './read-spans.ts'
import type { TelemetryConnection } from './telemetry-file.ts'

/** Pains, of the highest rank, whose failures are compared with healthy runs (write-path §5). */
export const CONTRASTED_PAINS = 10
/** Records of each side that are compared for one pain, and for all pains together: what a diagnosis may spend on it. */
const SAMPLES_MAX = 200
const SAMPLES_OF_ALL_MAX = 1000

/** Records of each side that are compared where so many pains are. */
export function contrastSamples(pains: number): number {
  return Math.min(SAMPLES_MAX, Math.floor(SAMPLES_OF_ALL_MAX / Math.max(1, pains)))
}

/** Segments looked through for all pains together, and what they may hold: a bounded look, whatever the window holds. */
const SEGMENTS_MAX = 12
const SEGMENTS_MAX_BYTES = 8 * 1024 ** 2
const SPANS_MAX = 6000
/** Healthy candidates beyond the sample, for those that turn out to lie in a failing trace. */
const CANDIDATES_MAX = 2 * SAMPLES_MAX
/** Every attribute; texts longer than this are too long to compare. */
const SAMPLE_FILTER = createAttributeFilter([], [''], 1100)

export interface ContrastPain {
  pain: RankedPain
  /** Its failing records, in their order of preference. */
  rows: readonly EvidenceRow[]
}

/** Contrasts of each of these pains. All of them are read in one look through the same segments. */
export function readContrasts(
  connection: TelemetryConnection,
  question: PainQuestion,
  pains: readonly ContrastPain[],
): Contrasts[] {
  if (pains.length === 0) return []
  const { failing, candidates } = lookThrough(connection, question, pains)
  const failures = failuresAmong(connection, question, [...candidates.values()].flat())
  const open = new Set(pains.flatMap(({ pain }) => pain.open.map(({ failure }) => nameOf(failure.span))))
  const samplesMax = contrastSamples(pains.length)
  const sides = pains.map(({ pain, rows }) => {
    const ofOperation = candidates.get(operationOf(pain)) ?? []
    const { isFailing, isHealthy } = createSides(pain, { failures, open })
    // In a large store the rows lie far apart: what else failed this way where it was looked stands in for them.
    const named = rows.flatMap((row) => failing.get(nameOf(row)) ?? [])
    return {
      failing: [...named, ...ofOperation.filter(isFailing)].slice(0, samplesMax),
      healthy: ofOperation.filter(isHealthy).slice(0, samplesMax),
    }
  })
  const records = readRecords(sides.flatMap((side) => [...side.failing, ...side.healthy]))
  const recordsOf = (places: readonly Place[]) => places.flatMap(({ name }) => records.get(name) ?? [])
  return sides.map((side) => contrastRecords(recordsOf(side.failing), recordsOf(side.healthy)))
}

const NOTHING_OFF: ReadonlySet<SignalType> = new Set()

interface Place {
  /** Trace and span id as text: cheaper than a record id. */
  name: string
  row: SegmentRow
  at: number
}

interface Candidate extends Place {
  /** As rows hold it. */
  traceHash: bigint
  /** Ended, and no failure by itself. */
  isSound: boolean
}

function nameOf({ traceId, spanId }: SpanId): string {
  return Buffer.from(traceId).toString('latin1') + Buffer.from(spanId).toString('latin1')
}

function operationOf({ service, operation }: { service: string; operation: string }): string {
  return `${service}\n${operation}`
}

/** Where the failing records lie, and healthy runs of their operations by hash of the trace: no order of arrival shows in them. */
function lookThrough(connection: TelemetryConnection, question: PainQuestion, pains: readonly ContrastPain[]) {
  const wanted = new Set(pains.flatMap(({ rows }) => rows.map(nameOf)))
  const candidates = new Map<string, Candidate[]>(pains.map(({ pain }) => [operationOf(pain), []]))
  const failing = new Map<string, Place>()
  const { fromMs, toMs } = windowBoundsMs(question.window)
  let spans = 0
  for (const row of chooseSegments(connection, question, pains)) {
    let at = -1
    for (const { ctx, receivedMs } of spansOfSegment(row, JUDGE_FILTER)) {
      at += 1
      if (++spans > SPANS_MAX) break
      const name = nameOf(ctx.span)
      const isEnded = ctx.span.endUnixNano !== 0n
      if (wanted.has(name)) {
        if (isEnded || !failing.has(name)) failing.set(name, { name, row, at })
        continue
      }
      if (receivedMs < fromMs || receivedMs >= toMs) continue
      const view = viewSpan(ctx)
      const ofOperation = candidates.get(
        operationOf({ service: toIndexText(view.service), operation: toIndexText(view.operation) }),
      )
      if (!ofOperation) continue
      // What fails by a signal that is off is still not healthy.
      const isSound = (isEnded || ctx.span.log !== undefined) && detect(ctx.span, view, NOTHING_OFF) === null
      ofOperation.push({
        name,
        row,
        at,
        isSound,
        traceHash: BigInt.asIntN(64, connection.hasher(question.projectNo, ctx.span.traceId)),
      })
    }
    if (spans > SPANS_MAX) break
  }
  return { failing, candidates: new Map([...candidates].map(([name, all]) => [name, byHash(all)])) }
}

function byHash(candidates: readonly Candidate[]): Candidate[] {
  const distinct = [...new Map(candidates.map((candidate) => [candidate.name, candidate])).values()]
  const order = (a: Candidate, b: Candidate) =>
    a.traceHash === b.traceHash ? (a.name < b.name ? -1 : 1) : a.traceHash < b.traceHash ? -1 : 1
  const sorted = distinct.sort(order)
  return [true, false].flatMap((isSound) => sorted.filter((one) => one.isSound === isSound).slice(0, CANDIDATES_MAX))
}

/** Those with most of the failing records first, then the newest: both sides are read from the same segments. */
function chooseSegments(
  { db, hasher, index }: TelemetryConnection,
  { projectNo, window }: PainQuestion,
  pains: readonly ContrastPain[],
): SegmentRow[] {
  const hashes = new Set(pains.flatMap(({ rows }) => rows.map(({ traceId }) => hasher(projectNo, traceId))))
  const holding = index
    .find(projectNo, [...hashes])
    .map(({ segmentId, hashes: held }) => ({ segmentId, held: held.length }))
    .sort((a, b) => b.held - a.held || b.segmentId - a.segmentId)
    .map(({ segmentId }) => segmentId)
  const { fromMs, toMs } = windowBoundsMs(window)
  const newest = db
    .prepare(
      `select segment_id from segment where project_no = ? and kind = 'span' and received_max_ms >= ? and received_min_ms < ?
       order by first_commit desc limit ?`,
    )
    .pluck()
    .all(projectNo, fromMs, toMs, SEGMENTS_MAX) as number[]
  const load = db.prepare('select kind, body, body_bytes, commits from segment where segment_id = ?')
  const rows: SegmentRow[] = []
  let bytes = 0
  for (const segmentId of new Set([...holding, ...newest])) {
    if (rows.length === SEGMENTS_MAX || bytes > SEGMENTS_MAX_BYTES) break
    const row = load.get(segmentId) as SegmentRow | undefined
    if (!row) continue
    rows.push(row)
    bytes += row.body_bytes
  }
  return rows
}

interface FailureNumbers {
  fingerprintNo: number
  failureNo: number
}

/** What is decided of the traces of these candidates: failures by trace, and which spans they are. */
interface FailuresAmong {
  byTrace: Map<bigint, FailureNumbers[]>
  bySpan: Map<string, FailureNumbers[]>
}

function failuresAmong(
  { db }: TelemetryConnection,
  { projectNo }: PainQuestion,
  candidates: readonly Candidate[],
): FailuresAmong {
  const rows = db
    .prepare(
      `select trace_hash, span_id, fingerprint_no, failure_no from failure
       where project_no = ? and trace_hash in (select value from json_each(?))`,
    )
    .safeIntegers()
    .raw()
    .iterate(projectNo, `[${[...new Set(candidates.map(({ traceHash }) => traceHash))].join()}]`)
  const found: FailuresAmong = { byTrace: new Map(), bySpan: new Map() }
  for (const [traceHash, spanId, fingerprintNo, failureNo] of rows as Iterable<[bigint, bigint, bigint, bigint]>) {
    const numbers = { fingerprintNo: Number(fingerprintNo), failureNo: Number(failureNo) }
    found.byTrace.set(traceHash, [...(found.byTrace.get(traceHash) ?? []), numbers])
    const span = `${traceHash} ${spanId}`
    found.bySpan.set(span, [...(found.bySpan.get(span) ?? []), numbers])
  }
  return found
}

/** Failing: as this pain. Healthy: no failure of any pain by itself, and in no trace that this one shows in. */
function createSides(pain: RankedPain, { failures, open }: { failures: FailuresAmong; open: ReadonlySet<string> }) {
  const [own, moved, left] = [pain.fingerprintNos, pain.moved, pain.left].map((numbers) => new Set(numbers)) as Numbers
  const openTraces = new Set(pain.open.map(({ traceHash }) => BigInt.asIntN(64, traceHash)))
  const isOfPain = ({ fingerprintNo, failureNo }: FailureNumbers) =>
    moved.has(failureNo) || (own.has(fingerprintNo) && !left.has(failureNo))
  const failuresOf = ({ name, traceHash }: Candidate) =>
    failures.bySpan.get(`${traceHash} ${spanNumber(Buffer.from(name, 'latin1').subarray(TRACE_ID_BYTES))}`)
  const isHealthy = (one: Candidate): boolean => {
    if (!one.isSound || open.has(one.name) || openTraces.has(one.traceHash) || failuresOf(one)) return false
    return !failures.byTrace.get(one.traceHash)?.some(isOfPain)
  }
  return { isHealthy, isFailing: (one: Candidate): boolean => failuresOf(one)?.some(isOfPain) ?? false }
}

type Numbers = [Set<number>, Set<number>, Set<number>]

const TRACE_ID_BYTES = 16

/** The records themselves, decoded whole: these few and no other of their segments. */
function readRecords(places: readonly Place[]): Map<string, ContrastRecord> {
  const found = new Map<string, ContrastRecord>()
  const compared = createIsCompared()
  for (const [row, ofRow] of Map.groupBy(places, (place) => place.row)) {
    for (const { ctx } of pickSpans(row, new Set(ofRow.map(({ at }) => at)), SAMPLE_FILTER)) {
      const recordId = encodeRecordId(ctx.span.traceId, ctx.span.spanId)
      found.set(nameOf(ctx.span), { recordId, attributes: attributesOf(ctx, compared) })
    }
  }
  return found
}

/** Records have the same few names, so each is asked once. */
function createIsCompared(): (name: string) => boolean {
  const known = new Map<string, boolean>()
  return (name) => {
    const before = known.get(name)
    if (before !== undefined) return before
    const is = isComparable(name.replace(DERIVED_MARK, ''))
    known.set(name, is)
    return is
  }
}

/** A span's own attributes before those of its resource; what its view says besides goes by the view's words. */
function attributesOf(ctx: SpanInContext, isCompared: (name: string) => boolean): ReadonlyMap<string, string> {
  const { release, environment, model, tool, agent } = viewSpan(ctx)
  const said = Object.entries({ release, environment, model, tool, agent }).map(
    ([name, value]) => [DERIVED_MARK + name, value] as const,
  )
  const compared = new Map<string, string>()
  for (const [name, value] of [...said, ...ctx.resource.attributes, ...ctx.span.attributes]) {
    const comparable = value !== null && isCompared(name) ? comparableValue(value) : null
    if (comparable !== null) compared.set(name, comparable)
  }
  return compared
}
