import { type AttributeFilter, createAttributeFilter } from '@loopkit/shared/otlp/decode-traces'
import type { SpanInContext } from '@loopkit/shared/otlp/model'
import { encodeRecordId } from '@loopkit/shared/span/record-id'
import { viewSpan } from '@loopkit/shared/span/view-span'
import { comparableValue, DERIVED_MARK, isComparable } from '../../domain/contrast/contrast-attributes.ts'
import { type ContrastRecord, type Contrasts, contrastRecords } from '../../domain/contrast/contrast-records.ts'
import type { OutlierFacts } from '../../domain/outliers/outlier-words.ts'
import type { PainQuestion, RankedPain } from '../pains/pain-question.ts'
import { memoryOf } from '../read-memory.ts'
import { type DecidedFailure, findDecided } from '../records/decided-traces.ts'
import { spanNumber } from '../records/judge-span.ts'
import { nameOf } from '../records/read-spans.ts'
import type { TelemetryConnection } from '../telemetry-file.ts'
import type { EvidenceRow } from './evidence-order.ts'
import { type Candidate, type Look, lookThrough, type Place } from './look-through.ts'

/** Pains, of the highest rank, whose failures are compared with healthy runs (write-path §5). */
export const CONTRASTED_PAINS = 10
/** Records of each side that are compared for one pain, and for all pains together: what a diagnosis may spend on it. */
const SAMPLES_MAX = 200
const SAMPLES_OF_ALL_MAX = 1000

/** Records of each side that are compared where so many pains are. */
export function contrastSamples(pains: number): number {
  return Math.min(SAMPLES_MAX, Math.floor(SAMPLES_OF_ALL_MAX / Math.max(1, pains)))
}

/** Records of an operation that are read for one pain, beyond the sample for those that turn out to lie in a failing trace. */
const CANDIDATES_MAX = 2 * SAMPLES_MAX
/** Of a pain that is not compared: enough for a few healthy runs. */
const CANDIDATES_FEW = 20
/** Healthy runs named for one pain. */
const HEALTHY_NAMED_MAX = 3
/** Every attribute; texts longer than this are too long to compare. */
const SAMPLE_FILTER = createAttributeFilter([], [''], 1100)

/** A pain with its failing records in their order of preference. */
export interface ComparedPain {
  pain: RankedPain
  rows: readonly EvidenceRow[]
  isContrasted: boolean
}

/** What healthy runs of the same operation say of a pain. */
export interface Comparison {
  contrasts: Contrasts
  healthyRecordIds: string[]
  /** The healthy records that were found, read with this filter. */
  readHealthy(filter: AttributeFilter): SpanInContext[]
}

const NOT_RANKED: Contrasts = { contrasts: null, reason: 'not_ranked' }
/** Of a pain that was not compared. */
export const NO_COMPARISON: Comparison = { contrasts: NOT_RANKED, healthyRecordIds: [], readHealthy: () => [] }

/** Each of these pains beside healthy runs of its operation. All are read in one look through the same segments. */
export function comparePains(
  connection: TelemetryConnection,
  question: PainQuestion,
  pains: readonly ComparedPain[],
): Comparison[] {
  if (pains.length === 0) return []
  const look = lookThrough(
    connection,
    question,
    pains.map(({ isContrasted, ...of }) => ({ ...of, candidatesMax: isContrasted ? CANDIDATES_MAX : CANDIDATES_FEW })),
  )
  const failures = failuresAmong(
    connection,
    question,
    pains.flatMap(({ pain }) => look.candidatesOf(pain)),
  )
  const open = new Set(pains.flatMap(({ pain }) => pain.open.map(({ failure }) => nameOf(failure.span))))
  const samplesMax = contrastSamples(pains.filter(({ isContrasted }) => isContrasted).length)
  const sides = pains.map(({ pain, rows, isContrasted }) => {
    const ofOperation = look.candidatesOf(pain)
    const { isFailing, isHealthy } = createSides(pain, { failures, open })
    const healthy = ofOperation.filter(isHealthy)
    if (!isContrasted) return { isContrasted, failing: [], healthy: healthy.slice(0, HEALTHY_NAMED_MAX) }
    // In a large store the rows lie far apart: what else failed this way where it was looked stands in for them.
    const named = rows.flatMap((row) => look.failing.get(nameOf(row)) ?? [])
    return {
      isContrasted,
      failing: [...named, ...ofOperation.filter(isFailing)].slice(0, samplesMax),
      healthy: healthy.slice(0, samplesMax),
    }
  })
  const contrasted = sides.filter((side) => side.isContrasted)
  const records = readRecords(
    connection,
    look,
    contrasted.flatMap((side) => [...side.failing, ...side.healthy]),
  )
  const recordsOf = (places: readonly Place[]) => places.flatMap(({ name }) => records.get(name) ?? [])
  return sides.map(({ isContrasted, failing, healthy }) => ({
    contrasts: isContrasted ? contrastRecords(recordsOf(failing), recordsOf(healthy)) : NOT_RANKED,
    healthyRecordIds: healthy.slice(0, HEALTHY_NAMED_MAX).map(({ name }) => recordIdOf(name)),
    readHealthy: (filter) => {
      const read = look.read(healthy, filter)
      return healthy.flatMap(({ name }) => read.get(name) ?? [])
    },
  }))
}

function recordIdOf(name: string): string {
  const bytes = Buffer.from(name, 'latin1')
  return encodeRecordId(bytes.subarray(0, TRACE_ID_BYTES), bytes.subarray(TRACE_ID_BYTES))
}

/** What is decided of the traces of these candidates: failures by trace, and by what names a span. */
interface FailuresAmong {
  byTrace: ReadonlyMap<bigint, readonly DecidedFailure[]>
  bySpan: ReadonlyMap<string, readonly DecidedFailure[]>
}

function failuresAmong(
  connection: TelemetryConnection,
  { projectNo }: PainQuestion,
  candidates: readonly Candidate[],
): FailuresAmong {
  const found = findDecided(
    connection,
    projectNo,
    candidates.map(({ traceHash }) => traceHash),
  )
  return {
    byTrace: Map.groupBy(found, ({ traceHash }) => traceHash),
    bySpan: Map.groupBy(found, ({ traceHash, spanId }) => `${traceHash} ${spanId}`),
  }
}

/** Failing: as this pain. Healthy: no failure of any pain by itself, and in no trace that this one shows in. */
function createSides(pain: RankedPain, { failures, open }: { failures: FailuresAmong; open: ReadonlySet<string> }) {
  const [own, moved, left] = [pain.fingerprintNos, pain.moved, pain.left].map((numbers) => new Set(numbers)) as Numbers
  const openTraces = new Set(pain.open.map(({ traceHash }) => BigInt.asIntN(64, traceHash)))
  const isOfPain = ({ fingerprintNo, failureNo }: DecidedFailure) =>
    moved.has(failureNo) || (own.has(fingerprintNo) && !left.has(failureNo))
  // Most traces have none, and then no name of a span is made.
  const failuresOf = ({ name, traceHash }: Candidate) =>
    failures.byTrace.has(traceHash)
      ? failures.bySpan.get(`${traceHash} ${spanNumber(Buffer.from(name, 'latin1').subarray(TRACE_ID_BYTES))}`)
      : undefined
  if (pain.outlier) return sidesOfOutlier(pain, pain.outlier, failuresOf)
  const isHealthy = (one: Candidate): boolean => {
    if (!one.isSound || open.has(one.name) || openTraces.has(one.traceHash) || failuresOf(one)) return false
    return !failures.byTrace.get(one.traceHash)?.some(isOfPain)
  }
  return { isHealthy, isFailing: (one: Candidate): boolean => failuresOf(one)?.some(isOfPain) ?? false }
}

/** Of times every record says on which side it is; of costs only those that are known by name. */
function sidesOfOutlier(
  { outlierRows = [] }: RankedPain,
  { measure, threshold }: OutlierFacts,
  failuresOf: (one: Candidate) => readonly DecidedFailure[] | undefined,
) {
  const named = new Set(outlierRows.map(nameOf))
  const isBeyond = ({ name, tookMs }: Candidate) => named.has(name) || (measure === 'latency' && tookMs > threshold)
  return {
    isHealthy: (one: Candidate) => one.isSound && !isBeyond(one) && !failuresOf(one),
    isFailing: (one: Candidate) => one.isSound && isBeyond(one) && !named.has(one.name),
  }
}

type Numbers = [Set<number>, Set<number>, Set<number>]

const TRACE_ID_BYTES = 16

/** The records as they are compared, by name. What was read of a place before is as it was. */
function readRecords({ memory }: TelemetryConnection, look: Look, places: readonly Place[]): Map<string, ContrastRecord> {
  const contrasted = memory.take(CONTRASTED)
  const compared = createIsCompared()
  const same = createSame(memory.only(TEXTS, 'all', () => new Map<string, string>()))
  const records = new Map<string, ContrastRecord>()
  const missing = new Map<string, Place>()
  for (const place of places) {
    const known = contrasted.recall(look.keyOf(place))
    if (known) records.set(place.name, known)
    else missing.set(place.name, place)
  }
  for (const [name, { span, ...around }] of look.read([...missing.values()], SAMPLE_FILTER)) {
    const attributes = attributesOf({ span, ...around }, { isCompared: compared, same })
    const record = { recordId: encodeRecordId(span.traceId, span.spanId), attributes }
    records.set(name, record)
    contrasted.keep(look.keyOf(missing.get(name)!), record, bytesOf(record))
  }
  return records
}

/** Ten pains' records of both sides, twice. */
const CONTRASTED = memoryOf<ContrastRecord>('contrasted records', 16)
const ATTRIBUTE_BYTES = 60
/** Names and values that records share: each is held once. */
const TEXTS = memoryOf<Map<string, string>>('texts of contrasted records')
const TEXTS_MAX = 20_000
/** Longer ones are hardly ever shared. */
const TEXT_MAX_CHARS = 64

function createSame(known: Map<string, string>): (text: string) => string {
  return (text) => {
    if (text.length > TEXT_MAX_CHARS) return text
    const before = known.get(text)
    if (before !== undefined) return before
    if (known.size >= TEXTS_MAX) known.clear()
    known.set(text, text)
    return text
  }
}

function bytesOf({ attributes }: ContrastRecord): number {
  let bytes = 0
  for (const value of attributes.values()) bytes += ATTRIBUTE_BYTES + (value.length > TEXT_MAX_CHARS ? value.length : 0)
  return bytes
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
function attributesOf(
  ctx: SpanInContext,
  { isCompared, same }: { isCompared(name: string): boolean; same(text: string): string },
): ReadonlyMap<string, string> {
  const { release, environment, model, tool, agent } = viewSpan(ctx)
  const said = Object.entries({ release, environment, model, tool, agent }).map(
    ([name, value]) => [DERIVED_MARK + name, value] as const,
  )
  const compared = new Map<string, string>()
  for (const [name, value] of [...said, ...ctx.resource.attributes, ...ctx.span.attributes]) {
    const comparable = value !== null && isCompared(name) ? comparableValue(value) : null
    if (comparable !== null) compared.set(same(name), same(comparable))
  }
  return compared
}
