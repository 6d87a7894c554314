import type { StoredSpan } from '@loopkit/shared/database/telemetry/read-trace'
import { isOfOutcome } from '@loopkit/shared/eval-candidate/draft-assertions'
import type { ObservedRun } from '@loopkit/shared/eval-candidate/model'
import { isSameRequest, REQUEST_ATTRIBUTES, type Request, requestOf } from '@loopkit/shared/eval-candidate/request-of'
import { runOfRecords } from '@loopkit/shared/eval-candidate/run-of-records'
import { type AttributeFilter, createAttributeFilter } from '@loopkit/shared/otlp/attribute-filter'
import { toHex } from '@loopkit/shared/otlp/ids'
import type { SpanInContext } from '@loopkit/shared/otlp/model'
import type { SignalType } from '@loopkit/shared/signals/signal-type'
import { hasFeedback } from '@loopkit/shared/signals/soft/negative-feedback'
import { toShownValue } from '@loopkit/shared/span/json-value'
import { normalizeSpan } from '@loopkit/shared/span/normalize-span'
import { encodeRecordId } from '@loopkit/shared/span/record-id'
import type { RunOutcome } from '../../domain/pain-facts.ts'
import type { PainQuestion, RankedPain } from '../pains/pain-question.ts'
import { eachTrace } from '../records/each-trace.ts'
import { toTraceSpan, wholeTraceFilter } from '../records/judge-span.ts'
import { judgeWhole } from '../records/judge-whole.ts'
import { readSpans } from '../records/read-spans.ts'
import type { TelemetryConnection } from '../telemetry-file.ts'
import type { ResolvedEvidence } from './resolved-evidence.ts'

/** Pains of outcomes whose runs are read, and runs that are read for one of them: whole traces, so there are few. */
const PAINS_MAX = 2
const LOOKED_AT_MAX = 6
/** Failing runs of one pain of which a healthy run of the same request is looked for. */
const EVIDENCE_TRIED_MAX = 2
/** Failing records that are asked for their request, to begin with one that a healthy run is of as well. */
const EVIDENCE_ASKED_MAX = 6
/** Healthy runs of the same request that a candidate expects the state of. */
const TWINS_MAX = 3
/** As records are shown by default. */
const SHOWN = { attributesShownMax: 256, attributeShownMaxBytes: 32_768 }

const REQUEST_FILTER = createAttributeFilter(REQUEST_ATTRIBUTES, [])

/** Bytes shown of one input, as of any other record's. */
const INPUT_SHOWN_MAX_BYTES = 1024

export interface OutcomeSource {
  pain: RankedPain
  evidence: readonly Pick<ResolvedEvidence, 'traceId' | 'spanId' | 'evidence'>[]
  /** Healthy records of the operation, read with this filter. */
  healthy(filter: AttributeFilter): SpanInContext[]
}

/**
 * Of pains that judge what a run came to: what one of the failing runs did, and what healthy runs of the same request did. The first
 * of the evidence that has such a healthy run, else the first. By fingerprint.
 */
export function readOutcomes(
  connection: TelemetryConnection,
  question: PainQuestion,
  sources: readonly OutcomeSource[],
): Map<string, RunOutcome> {
  const outcomes = new Map<string, RunOutcome>()
  for (const source of sources.filter(({ pain }) => isOfOutcome(pain.signal)).slice(0, PAINS_MAX)) {
    const outcome = readOutcome(connection, question, source)
    if (outcome !== null) outcomes.set(source.pain.fingerprint, outcome)
  }
  return outcomes
}

function readOutcome(
  connection: TelemetryConnection,
  question: PainQuestion,
  { evidence, healthy }: OutcomeSource,
): RunOutcome | null {
  const spans = evidence.length === 0 ? [] : healthy(REQUEST_FILTER)
  let first: RunOutcome | null = null
  for (const { traceId, spanId, evidence: record } of likelyFirst(connection, question, evidence, spans)) {
    const [failing] = readRuns(connection, question, [traceId])
    if (failing === undefined) continue
    const outcome: RunOutcome = {
      recordId: record.recordId,
      request: failing.request.words,
      input: inputOf(failing.stored, spanId),
      failing: failing.run,
      twins: readTwins(connection, question, likelyTwins(spans, failing.request), failing.request),
    }
    if (outcome.twins.length > 0) return outcome
    first ??= outcome
  }
  return first
}

function readTwins(
  connection: TelemetryConnection,
  question: PainQuestion,
  candidates: readonly SpanInContext[],
  request: Request,
): RunOutcome['twins'] {
  const recordOf = new Map(candidates.map(({ span }) => [toHex(span.traceId), encodeRecordId(span.traceId, span.spanId)]))
  const traceIds = candidates.map(({ span }) => span.traceId)
  return (
    readRuns(connection, question, traceIds)
      .filter((run) => isSameRequest(run.request, request) && !run.signals.some(isOfOutcome))
      // One that somebody called good is known to be; one that nobody judged is not.
      .sort((a, b) => Number(b.isJudged) - Number(a.isJudged))
      .slice(0, TWINS_MAX)
      .map(({ traceId, run }) => ({ recordId: recordOf.get(traceId)!, run }))
  )
}

/** Records that say they are of a request that a healthy one is of as well, before the others. */
function likelyFirst(
  connection: TelemetryConnection,
  { projectNo }: PainQuestion,
  evidence: OutcomeSource['evidence'],
  healthy: readonly SpanInContext[],
): OutcomeSource['evidence'] {
  const requests = healthy.map(({ span }) => requestOf(span.attributes))
  const asked = evidence.slice(0, EVIDENCE_ASKED_MAX)
  const own = readSpans(connection, projectNo, asked, REQUEST_FILTER)
  const hasTwin = ({ evidence: { recordId } }: OutcomeSource['evidence'][number]) => {
    const attributes = own.get(recordId)?.ctx.span.attributes
    return attributes !== undefined && requests.some((request) => isSameRequest(request, requestOf(attributes)))
  }
  return asked.toSorted((a, b) => Number(hasTwin(b)) - Number(hasTwin(a))).slice(0, EVIDENCE_TRIED_MAX)
}

/** What the record itself says that it was to do. */
function inputOf(stored: readonly StoredSpan[], spanId: Uint8Array): Record<string, unknown> {
  const own = stored.find(({ ctx }) => toHex(ctx.span.spanId) === toHex(spanId))?.ctx.span.attributes
  const said = REQUEST_ATTRIBUTES.flatMap((key) => {
    const value = own?.get(key)
    return value === undefined ? [] : [[key, toShownValue(value, { bytes: INPUT_SHOWN_MAX_BYTES, isCut: false })] as const]
  })
  return Object.fromEntries(said)
}

/** Those that say they are of the same request first, then those whose own record does not say. */
function likelyTwins(spans: readonly SpanInContext[], wanted: Request): SpanInContext[] {
  const known = spans.map((ctx) => ({ ctx, request: requestOf(ctx.span.attributes) }))
  const same = known.filter(({ request }) => isSameRequest(request, wanted))
  const untold = known.filter(({ request }) => request.task === null && request.words === null)
  return [...same, ...untold].slice(0, LOOKED_AT_MAX).map(({ ctx }) => ctx)
}

interface ReadRun {
  traceId: string
  stored: readonly StoredSpan[]
  run: ObservedRun
  request: Request
  signals: SignalType[]
  /** Somebody said how it was. */
  isJudged: boolean
}

function readRuns(connection: TelemetryConnection, question: PainQuestion, traceIds: readonly Uint8Array[]): ReadRun[] {
  const filter = wholeTraceFilter(REQUEST_ATTRIBUTES)
  return [...eachTrace(connection, question.projectNo, traceIds, filter)].map(({ traceId, stored }) => ({
    traceId,
    stored,
    ...runOf(connection, question, stored),
  }))
}

function runOf(connection: TelemetryConnection, { projectId, off }: PainQuestion, stored: readonly StoredSpan[]) {
  const isOff = new Set(off)
  const { failures } = judgeWhole(connection, { projectId, off: isOff, isOver: false }, stored)
  const signals = new Map(failures.map(({ span, detection }) => [toHex(span.spanId), detection.signal]))
  const records = stored.map(({ ctx }) => {
    const signalType = signals.get(toHex(ctx.span.spanId)) ?? toTraceSpan(ctx, isOff).detection?.signal ?? null
    return normalizeSpan(ctx, { receivedAtMs: 0, sessionId: '', signalType, limits: SHOWN })
  })
  return {
    run: runOfRecords(records),
    request: firstRequest(stored),
    signals: [...signals.values()],
    isJudged: stored.some(({ ctx }) => hasFeedback(ctx.span)),
  }
}

/** What the earliest span says that says it. */
function firstRequest(stored: readonly StoredSpan[]): Request {
  const inOrder = stored.map(({ ctx }) => ctx.span).sort((a, b) => (a.startUnixNano < b.startUnixNano ? -1 : 1))
  const requests = inOrder.map(({ attributes }) => requestOf(attributes))
  return {
    task: requests.find(({ task }) => task !== null)?.task ?? null,
    words: requests.find(({ words }) => words !== null)?.words ?? null,
  }
}
