import type { StoredSpan } from '@loopkit/shared/database/telemetry/read-trace'
import { toHex } from '@loopkit/shared/otlp/ids'
import type { SpanInContext } from '@loopkit/shared/otlp/model'
import type { Detection } from '@loopkit/shared/signals/model'
import type { SignalType } from '@loopkit/shared/signals/signal-type'
import { encodeRecordId } from '@loopkit/shared/span/record-id'
import type { PainDetail } from '../domain/pain-facts.ts'
import { eachTrace } from './each-trace.ts'
import { type EvidenceRow, readEvidenceRows, readNamed } from './evidence-rows.ts'
import { sessionText, toTraceSpan, traceIdText, WHOLE_TRACE_FILTER } from './judge-span.ts'
import { judgeWhole } from './judge-whole.ts'
import type { PainQuestion, RankedPain, ResolvedEvidence } from './pain-question.ts'
import { framesOf, readInputs, routesAbove, wordsOf } from './pain-words.ts'
import { CONTRASTED_PAINS, type Comparison, comparePains, contrastSamples } from './read-contrasts.ts'
import type { TelemetryConnection } from './telemetry-file.ts'

/** Evidence records that are read and named for one pain; its `evidence_count` says how many there are. */
const EVIDENCE_MAX = 10
/** Log records named beside them. */
const LOGS_MAX = 5

/** The evidence of each pain, read back from the segments: a record that cannot be read is not named. */
export function readPainDetails(
  connection: TelemetryConnection,
  question: PainQuestion,
  pains: readonly RankedPain[],
): { details: PainDetail[]; expired: number } {
  const samplesMax = contrastSamples(Math.min(pains.length, CONTRASTED_PAINS))
  const isContrasted = (at: number) => question.painsSkip + at < CONTRASTED_PAINS
  const samples = pains.map((pain, at) =>
    evidenceOf(connection, question, { pain, rowsMax: isContrasted(at) ? samplesMax : EVIDENCE_MAX }),
  )
  const rows = samples.map((of) => of.slice(0, EVIDENCE_MAX))
  const found = resolveAll(connection, question, rows.flat())
  const resolved = rows.map((of) => of.map(({ recordId }) => found.get(recordId)).filter((evidence) => evidence !== undefined))
  const inputs = readInputs(
    connection,
    question.projectNo,
    resolved.flatMap(([first]) => first ?? []),
  )
  const comparisons = comparePains(
    connection,
    question,
    pains.map((pain, at) => ({ pain, rows: samples[at]!, isContrasted: isContrasted(at) })),
  )
  const details = pains.map((pain, at) =>
    detailOf(connection, question, {
      pain,
      found: resolved[at]!,
      input: inputs.get(resolved[at]![0]?.evidence.recordId ?? '') ?? {},
      ...comparisons[at]!,
    }),
  )
  return { details, expired: rows.flat().length - resolved.flat().length }
}

function evidenceOf(
  connection: TelemetryConnection,
  question: PainQuestion,
  { pain, rowsMax }: { pain: RankedPain; rowsMax: number },
): EvidenceRow[] {
  const decided = pain.decided === 0 ? [] : readEvidenceRows(connection.db, question, pain, rowsMax)
  const provisional = pain.open
    .toSorted((a, b) => b.eventMs - a.eventMs || (a.recordId < b.recordId ? -1 : 1))
    .map(({ failure, recordId, eventMs }) => ({
      traceId: failure.span.traceId,
      spanId: failure.span.spanId,
      recordId,
      sessionId: failure.sessionId,
      eventMs,
    }))
  return spread([...decided, ...provisional]).slice(0, rowsMax)
}

/** One record of each trace before a second of any. */
function spread(rows: EvidenceRow[]): EvidenceRow[] {
  const seen = new Map<string, number>()
  const turns = rows.map((row) => {
    const trace = toHex(row.traceId)
    const turn = seen.get(trace) ?? 0
    seen.set(trace, turn + 1)
    return { row, turn }
  })
  return turns.sort((a, b) => a.turn - b.turn).map(({ row }) => row)
}

/** By record id. Traces are read a few at a time, and only what is asked of them is kept. */
function resolveAll(
  connection: TelemetryConnection,
  question: PainQuestion,
  rows: readonly EvidenceRow[],
): Map<string, ResolvedEvidence> {
  const byTrace = Map.groupBy(rows, ({ traceId }) => toHex(traceId))
  const traceIds = rows.map(({ traceId }) => traceId)
  const off = new Set(question.off)
  const found = new Map<string, ResolvedEvidence>()
  for (const { traceId, stored } of eachTrace(connection, question.projectNo, traceIds, WHOLE_TRACE_FILTER)) {
    const byId = new Map(stored.map(({ ctx }) => [toHex(ctx.span.spanId), ctx]))
    const rowsOfTrace = byTrace.get(traceId) ?? []
    const showsAlone = ({ spanId }: EvidenceRow) => {
      const ctx = byId.get(toHex(spanId))
      return ctx === undefined || toTraceSpan(ctx, off).detection !== null
    }
    const isSeenAlone = stored.every(({ ctx }) => !ctx.span.log) && rowsOfTrace.every(showsAlone)
    const toldOf = isSeenAlone ? NOTHING_TOLD : readTold(connection, { projectId: question.projectId, off }, stored)
    for (const row of rowsOfTrace) {
      const ctx = byId.get(toHex(row.spanId))
      if (ctx) found.set(row.recordId, resolve(row, { ctx, byId, off, toldOf }))
    }
  }
  return found
}

interface TraceAround {
  ctx: SpanInContext
  /** Spans of the trace by hex id. */
  byId: ReadonlyMap<string, SpanInContext>
  off: ReadonlySet<SignalType>
  /** By hex span id of a failure's origin; asked only where log records, or the trace as a whole, say what is seen of it. */
  toldOf: ReadonlyMap<string, Told>
}

/** What is known of a failure from its trace. */
interface Told {
  detection: Detection
  logRecordIds: string[]
}

const NOTHING_TOLD: ReadonlyMap<string, Told> = new Map()

function readTold(
  connection: TelemetryConnection,
  owner: { projectId: string; off: ReadonlySet<SignalType> },
  stored: readonly StoredSpan[],
): Map<string, Told> {
  const { failures } = judgeWhole(connection, { ...owner, isOver: true }, stored)
  return new Map(
    failures.map(({ span, detection, propagatedTo }) => {
      const logs = propagatedTo.filter((told) => told.span.log)
      const logRecordIds = logs.map((told) => encodeRecordId(told.span.traceId, told.span.spanId))
      return [toHex(span.spanId), { detection, logRecordIds }]
    }),
  )
}

function resolve({ recordId, sessionId, eventMs }: EvidenceRow, { ctx, byId, off, toldOf }: TraceAround): ResolvedEvidence {
  const { span } = ctx
  const told = toldOf.get(toHex(span.spanId))
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    evidence: { recordId, traceId: traceIdText(span), sessionId: sessionText(sessionId, span), failedAtMs: eventMs },
    detection: told?.detection ?? toTraceSpan(ctx, off).detection,
    routes: routesAbove(ctx, byId),
    logRecordIds: told?.logRecordIds ?? [],
  }
}

interface DetailSources extends Comparison {
  pain: RankedPain
  found: ResolvedEvidence[]
  input: Record<string, unknown>
}

function detailOf(
  connection: TelemetryConnection,
  question: PainQuestion,
  { pain, found, input, healthyRecordIds, contrasts }: DetailSources,
): PainDetail {
  const detection = found[0]?.detection ?? null
  const named = readNamed(connection.db, question, pain)
  const users = new Set([...named.users, ...pain.open.flatMap(({ user }) => (user === null ? [] : [user]))])
  const releases = new Set([...named.releases, ...pain.open.flatMap(({ release }) => release ?? [])])
  const words = wordsOf(connection.db, pain)
  return {
    ...words,
    // Of the evidence that stands first: which failure was decided first is an accident of its way here.
    sampleMessage: detection?.message ?? words.sampleMessage,
    because: detection?.because ?? pain.open[0]?.failure.detection.because ?? null,
    frames: framesOf(detection?.stack ?? null),
    evidence: found.map(({ evidence }) => evidence),
    logRecordIds: found.flatMap(({ logRecordIds }) => logRecordIds).slice(0, LOGS_MAX),
    services: sorted(new Set([pain.service, ...named.services, ...pain.open.flatMap(({ services }) => services)])),
    routes: sorted(new Set(found.flatMap(({ routes }) => routes))),
    releases: sorted(releases),
    users: users.size > 0 ? users.size : null,
    input,
    healthyRecordIds,
    contrasts,
  }
}

/** Names listed of one kind; more than this helps nobody. */
const NAMES_MAX = 20

function sorted(names: Set<string>): string[] {
  return [...names]
    .filter((name) => name !== '')
    .sort()
    .slice(0, NAMES_MAX)
}
