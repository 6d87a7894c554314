import { toHex } from '@loopkit/shared/otlp/ids'
import { type OutlierFacts, outlierBecause, outlierSentence, outlierSteps } from '../../domain/outliers/outlier-words.ts'
import type { PainDetail, RunOutcome } from '../../domain/pain-facts.ts'
import { type EvidenceRow, inEvidenceOrder } from '../evidence/evidence-order.ts'
import { readEvidenceRows, readNamed } from '../evidence/evidence-rows.ts'
import { CONTRASTED_PAINS, type Comparison, comparePains, contrastSamples, NO_COMPARISON } from '../evidence/read-contrasts.ts'
import { readOutcomes } from '../evidence/read-outcomes.ts'
import { resolveEvidence } from '../evidence/resolve-evidence.ts'
import type { ResolvedEvidence } from '../evidence/resolved-evidence.ts'
import type { TelemetryConnection } from '../telemetry-file.ts'
import type { PainQuestion, RankedPain } from './pain-question.ts'
import { framesOf, NO_PLACE, wordsOf } from './pain-words.ts'

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
  const isContrasted = (at: number) => !question.isList && question.painsSkip + at < CONTRASTED_PAINS
  const samples = pains.map((pain, at) =>
    evidenceOf(connection, question, { pain, rowsMax: isContrasted(at) ? samplesMax : EVIDENCE_MAX }),
  )
  const rows = samples.map((of) => of.slice(0, EVIDENCE_MAX))
  const resolved = resolveEvidence(connection, question, rows)
  const compared = comparePains(
    connection,
    question,
    (question.isList ? [] : pains).map((pain, at) => ({ pain, rows: samples[at]!, isContrasted: isContrasted(at) })),
  )
  const comparisons = pains.map((_, at) => compared[at] ?? NO_COMPARISON)
  const sources = pains.map((pain, at) => ({ pain, evidence: resolved[at]!, healthy: comparisons[at]!.readHealthy }))
  const outcomes = readOutcomes(connection, question, sources)
  const details = pains.map((pain, at) =>
    detailOf(connection, question, {
      pain,
      found: resolved[at]!,
      outcome: outcomes.get(pain.fingerprint) ?? null,
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
  if (pain.outlierRows) return pain.outlierRows.slice(0, rowsMax)
  const decided = pain.decided === 0 ? [] : readEvidenceRows(connection, question, pain, rowsMax)
  if (pain.open.length === 0) return spread(decided)
  const provisional = pain.open.map(({ failure, recordId, eventMs }) => ({
    traceId: failure.span.traceId,
    spanId: failure.span.spanId,
    recordId,
    sessionId: failure.sessionId,
    eventMs,
  }))
  return spread(inEvidenceOrder([...decided, ...provisional])).slice(0, rowsMax)
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

interface DetailSources extends Comparison {
  pain: RankedPain
  found: ResolvedEvidence[]
  outcome: RunOutcome | null
}

function detailOf(
  connection: TelemetryConnection,
  question: PainQuestion,
  { pain, found, outcome, healthyRecordIds, contrasts }: DetailSources,
): PainDetail {
  const detection = found[0]?.detection ?? null
  const openUsers = pain.open.flatMap(({ user }) => user ?? [])
  const named = readNamed(connection.db, question, pain, openUsers)
  const releases = new Set([...named.releases, ...pain.open.flatMap(({ release }) => release ?? [])])
  const words = wordsOf(connection.db, pain)
  const told = pain.outlier && toldOfOutlier(pain.outlier, words)
  return {
    ...words,
    ...(told && { steps: told.steps }),
    // Of the evidence that stands first: which failure was decided first is an accident of its way here.
    sampleMessage: told?.message ?? (found.length === 0 ? words.sampleMessage : (detection?.message ?? null)),
    because: told?.because ?? detection?.because ?? pain.open[0]?.failure.detection.because ?? null,
    frames: found[0]?.isRead ? framesOf(detection?.stack ?? null) : framesOfSteps(words.steps),
    isRead: found.some(({ isRead }) => isRead),
    evidence: found.map(({ evidence }) => evidence),
    logRecordIds: found.flatMap(({ logRecordIds }) => logRecordIds).slice(0, LOGS_MAX),
    services: sorted(
      new Set([
        pain.service,
        ...(pain.outlierServices ?? []),
        ...named.services,
        ...pain.open.flatMap(({ services }) => services),
      ]),
    ),
    routes: sorted(new Set(found.flatMap(({ routes }) => routes))),
    releases: sorted(releases),
    users: named.users > 0 ? named.users : null,
    input: found[0]?.input?.attributes ?? {},
    place: found[0]?.input?.place ?? NO_PLACE,
    healthyRecordIds,
    outcome,
    contrasts,
  }
}

/** Their records say nothing of why they are here. */
function toldOfOutlier(outlier: OutlierFacts, { steps }: Pick<PainDetail, 'steps'>) {
  return { message: outlierSentence(outlier), because: outlierBecause(outlier), steps: [...steps, ...outlierSteps(outlier)] }
}

/** Of a record that was not read back: as they stand in its key. */
function framesOfSteps(steps: PainDetail['steps']): string[] {
  return steps.find(({ step }) => step === 'stack')?.value.split(' < ') ?? []
}

/** Names listed of one kind; more than this helps nobody. */
const NAMES_MAX = 20

function sorted(names: Set<string>): string[] {
  return [...names]
    .filter((name) => name !== '')
    .sort()
    .slice(0, NAMES_MAX)
}
