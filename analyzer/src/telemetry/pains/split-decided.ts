import { toHex } from '@loopkit/shared/otlp/ids'
import {
  type ProjectRules,
  SPLITS_DEEP_MAX,
  type SplitRule,
  splitKey,
  splitSteps,
  valueOfRecord,
} from '@loopkit/shared/signals/fingerprint-rules'
import { encodeRecordId } from '@loopkit/shared/span/record-id'
import { viewSpan } from '@loopkit/shared/span/view-span'
import { IN_WINDOW, windowParameters } from '../counts/failure-scope.ts'
import { type CountedPain, countSpread } from '../counts/window-counts.ts'
import { recordFilter } from '../records/judge-span.ts'
import { readSpans } from '../records/read-spans.ts'
import type { TelemetryConnection } from '../telemetry-file.ts'
import type { PainQuestion } from './pain-question.ts'

/** Failures that one question tells apart after the fact; of each split pain so many at least. */
const FAILURES_MAX = 10_000
const FAILURES_OF_ONE_MIN = 1_000
/** Records that are read at a time. */
const READ_AT_ONCE = 1_000

/** How many failures of each of so many split pains are told apart, the newest; the others stay with their pain. */
export function toldApartMax(splitPains: number): number {
  return Math.max(FAILURES_OF_ONE_MIN, Math.floor(FAILURES_MAX / Math.max(1, splitPains)))
}

const MINUTE_MS = 60_000

export interface CountedPains {
  counted: readonly CountedPain[]
  middleMinute: number
}

/**
 * Failures that were decided before their pain was split count for its parts, as far as their records can be read. New ones are
 * decided under the part itself. `notRead` failures are too many to be told apart and stay with their pain.
 */
export function splitDecided(
  connection: TelemetryConnection,
  question: PainQuestion,
  { counted, middleMinute }: CountedPains,
): { decided: CountedPain[]; notRead: number } {
  const { splits } = question.view.rules
  let notRead = 0
  const most = toldApartMax(counted.filter(({ fingerprint }) => splits[fingerprint]).length)
  const decided = counted.flatMap((pain) => {
    const { fingerprintNo } = pain
    const split = splits[pain.fingerprint]
    if (!split || fingerprintNo === null) return pain
    notRead += Math.max(0, pain.failures - most)
    return splitPain(connection, question, { pain: { ...pain, fingerprintNo }, split, middleMinute, most })
  })
  return { decided, notRead }
}

interface Splitting {
  pain: CountedPain & { fingerprintNo: number }
  split: SplitRule
  middleMinute: number
  most: number
}

/** A failure whose record is read again. */
export interface RecordedFailure {
  recordId: string
  traceId: Uint8Array
  spanId: Uint8Array
}

interface OldFailure extends RecordedFailure {
  failureNo: number
  traceHash: bigint
  session: string
  eventMs: number
  endedTrace: boolean
}

function splitPain(connection: TelemetryConnection, question: PainQuestion, splitting: Splitting): CountedPain[] {
  const { pain, split, middleMinute, most } = splitting
  const failures = readOld(connection, question, { fingerprintNo: pain.fingerprintNo, most })
  const partOf = createPartOf(connection, question, { split, failures })
  const gone = failures.filter((failure) => partOf(failure) !== null)
  if (gone.length === 0) return [pain]
  const parts = [...Map.groupBy(gone, (failure) => partOf(failure)!.fingerprint).values()].map((own) =>
    countPart(pain, { part: partOf(own[0]!)!, own, middleMinute }),
  )
  if (pain.failures <= gone.length) return parts
  const left = numbersOf(gone)
  const spread = countSpread(connection.db, question, { fingerprintNos: [pain.fingerprintNo], moved: [], left, movedFrom: [] })
  return [...parts, { ...pain, ...spread, failures: pain.failures - gone.length, ...laterLeft(pain, parts), left }]
}

function laterLeft(pain: CountedPain, parts: readonly CountedPain[]): Pick<CountedPain, 'laterFailures'> {
  const gone = parts.reduce((sum, part) => sum + part.laterFailures, 0)
  return { laterFailures: Math.max(0, pain.laterFailures - gone) }
}

interface Part {
  fingerprint: string
  steps: { step: string; value: string }[]
}

function countPart(
  pain: Splitting['pain'],
  { part, own, middleMinute }: { part: Part; own: readonly OldFailure[]; middleMinute: number },
): CountedPain {
  const spread = spreadOf(own)
  return {
    ...pain,
    fingerprintNo: null,
    fingerprint: part.fingerprint,
    failures: own.length,
    laterFailures: own.filter(({ eventMs }) => eventMs >= middleMinute * MINUTE_MS).length,
    ...spread,
    firstSeenMs: spread.firstEventMs,
    moved: numbersOf(own),
    left: [],
    splitFrom: { fingerprintNo: pain.fingerprintNo, steps: part.steps },
  }
}

function spreadOf(failures: readonly OldFailure[]) {
  const events = failures.map(({ eventMs }) => eventMs)
  return {
    traces: new Set(failures.map(({ traceHash }) => traceHash)).size,
    sessions: new Set(failures.map(({ session }) => session)).size,
    ended: failures.filter(({ endedTrace }) => endedTrace).length,
    firstEventMs: Math.min(...events),
    lastEventMs: Math.max(...events),
  }
}

function numbersOf(failures: readonly OldFailure[]): number[] {
  return failures.map(({ failureNo }) => failureNo)
}

interface OldRow {
  failure_no: bigint
  trace_id: Uint8Array
  span_id: bigint
  trace_hash: bigint
  session: string | bigint
  event_ms: bigint
  ended_trace: bigint
}

function readOld(
  { db }: TelemetryConnection,
  question: PainQuestion,
  { fingerprintNo, most }: { fingerprintNo: number; most: number },
): OldFailure[] {
  const rows = db
    .prepare(
      `select failure_no, trace_id, span_id, trace_hash, iif(session_no = 0, lower(hex(trace_id)), session_no) as session, event_ms,
         ended_trace
       from failure f where f.fingerprint_no = @fingerprintNo and ${IN_WINDOW} order by failure_no desc limit @most`,
    )
    .safeIntegers()
    .all({ ...windowParameters(question), fingerprintNo, most }) as OldRow[]
  return rows.map((row) => {
    const spanId = new Uint8Array(8)
    new DataView(spanId.buffer).setBigInt64(0, row.span_id)
    const traceId = new Uint8Array(row.trace_id)
    return {
      failureNo: Number(row.failure_no),
      recordId: encodeRecordId(traceId, spanId),
      ...{ traceId, spanId },
      traceHash: row.trace_hash,
      session: String(row.session),
      eventMs: Number(row.event_ms),
      endedTrace: row.ended_trace === 1n,
    }
  })
}

/** The part that a failure counts for; null where its record cannot be read or has no such attribute. */
export function createPartOf(
  connection: TelemetryConnection,
  { projectNo, projectId, view }: Pick<PainQuestion, 'projectNo' | 'projectId'> & { view: Pick<PainQuestion['view'], 'rules'> },
  { split, failures }: { split: SplitRule; failures: readonly RecordedFailure[] },
): (failure: RecordedFailure) => Part | null {
  const { splits } = view.rules
  const attributes = [...new Set(Object.values(splits).map(({ attribute }) => attribute))]
  const values = readValues(connection, projectNo, { failures, attributes })
  const parts = new Map(
    [...values].map(
      ([recordId, of]) => [recordId, partBy(projectId, { split, splits }, (name) => of.get(name) ?? null)] as const,
    ),
  )
  return ({ recordId }) => parts.get(recordId) ?? null
}

type Values = ReadonlyMap<string, string | null>

/** Records whose values are remembered; beyond it all are forgotten. */
const REMEMBERED_MAX = 60_000

/** Values of attributes by record. Segments are opened only for those that were not read before. */
function readValues(
  connection: TelemetryConnection,
  projectNo: number,
  { failures, attributes }: { failures: readonly RecordedFailure[]; attributes: readonly string[] },
): Map<string, Values> {
  const { splitValues } = connection
  const keyOf = (recordId: string) => `${projectNo} ${recordId}`
  const isKnown = ({ recordId }: RecordedFailure) => attributes.every((name) => splitValues.get(keyOf(recordId))?.has(name))
  const known = new Map(failures.filter(isKnown).map(({ recordId }) => [recordId, splitValues.get(keyOf(recordId))!]))
  const missing = failures.filter(({ recordId }) => !known.has(recordId))
  if (splitValues.size > REMEMBERED_MAX) splitValues.clear()
  const filter = recordFilter(attributes)
  for (let at = 0; at < missing.length; at += READ_AT_ONCE) {
    for (const [recordId, { ctx }] of readSpans(connection, projectNo, missing.slice(at, at + READ_AT_ONCE), filter)) {
      const shown = viewSpan(ctx)
      const values = new Map(attributes.map((name) => [name, valueOfRecord(name, shown, ctx)]))
      known.set(recordId, values)
      if (ctx.span.endUnixNano !== 0n) splitValues.set(keyOf(recordId), values)
    }
  }
  return known
}

function partBy(
  projectId: string,
  { split, splits }: { split: SplitRule; splits: ProjectRules['splits'] },
  read: (name: string) => string | null,
): Part | null {
  let fingerprint: string | null = null
  const steps: Part['steps'] = []
  let at: SplitRule | undefined = split
  for (let deep = 0; at && deep < SPLITS_DEEP_MAX; deep++) {
    const value = read(at.attribute)
    if (value === null) break
    steps.push(...splitSteps(at, value))
    fingerprint = toHex(splitKey(projectId, at, value))
    at = splits[fingerprint]
  }
  return fingerprint === null ? null : { fingerprint, steps }
}
