import { readTraces, type StoredSpan } from '@loopkit/shared/database/telemetry/read-trace'
import { toHex } from '@loopkit/shared/otlp/ids'
import type { EvidenceRecord, PainDetail } from '../domain/pain-facts.ts'
import { type EvidenceRow, readEvidenceRows, readNamed } from './evidence-rows.ts'
import { findHealthyRuns } from './healthy-runs.ts'
import { JUDGE_FILTER, sessionText, toTraceSpan, traceIdText } from './judge-span.ts'
import type { PainQuestion, RankedPain } from './pain-readings.ts'
import { framesOf, readInputs, routesAbove, wordsOf } from './pain-words.ts'
import type { TelemetryConnection } from './telemetry-file.ts'

/** Evidence records that are read and named for one pain; its `evidence_count` says how many there are. */
const EVIDENCE_MAX = 10

/** The evidence of each pain, read back from the segments: a record that cannot be read is not named. */
export function readPainDetails(
  connection: TelemetryConnection,
  question: PainQuestion,
  pains: readonly RankedPain[],
): { details: PainDetail[]; expired: number } {
  const rows = pains.map((pain) => evidenceOf(connection, question, pain))
  const traceIds = new Map(rows.flat().map(({ traceId }) => [toHex(traceId), traceId]))
  const traces = readTraces(connection.db, connection.hasher, question.projectNo, [...traceIds.values()], {
    filter: JUDGE_FILTER,
    index: connection.index,
  })
  const healthy = findHealthyRuns(connection, question, pains)
  const resolved = rows.map((of) => of.map((row) => resolve(row, traces)).filter((evidence) => evidence !== null))
  const inputs = readInputs(
    connection,
    question.projectNo,
    resolved.flatMap(([first]) => first ?? []),
  )
  const details = pains.map((pain, at) =>
    detailOf(connection, question, {
      pain,
      found: resolved[at]!,
      input: inputs.get(resolved[at]![0]?.evidence.recordId ?? '') ?? {},
      healthyRecordIds: healthy.get(pain.fingerprint) ?? [],
    }),
  )
  return { details, expired: rows.flat().length - resolved.flat().length }
}

function evidenceOf(connection: TelemetryConnection, question: PainQuestion, { fingerprintNo, open }: RankedPain): EvidenceRow[] {
  const decided =
    fingerprintNo === null ? [] : readEvidenceRows(connection.db, question, { fingerprintNo, rowsMax: EVIDENCE_MAX })
  const provisional = open
    .toSorted((a, b) => b.eventMs - a.eventMs || (a.recordId < b.recordId ? -1 : 1))
    .map(({ failure, recordId, eventMs }) => ({
      traceId: failure.span.traceId,
      spanId: failure.span.spanId,
      recordId,
      sessionId: failure.sessionId,
      eventMs,
    }))
  return spread([...decided, ...provisional]).slice(0, EVIDENCE_MAX)
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

/** A failing record with its trace around it. */
export interface ResolvedEvidence {
  evidence: EvidenceRecord
  stored: StoredSpan
  trace: StoredSpan[]
}

function resolve(row: EvidenceRow, traces: ReadonlyMap<string, StoredSpan[]>): ResolvedEvidence | null {
  const trace = traces.get(toHex(row.traceId)) ?? []
  const spanId = toHex(row.spanId)
  const stored = trace.find(({ ctx }) => toHex(ctx.span.spanId) === spanId)
  if (!stored) return null
  const evidence = {
    recordId: row.recordId,
    traceId: traceIdText(stored.ctx.span),
    sessionId: sessionText(row.sessionId, stored.ctx.span),
    failedAtMs: row.eventMs,
  }
  return { evidence, stored, trace }
}

interface DetailSources {
  pain: RankedPain
  found: ResolvedEvidence[]
  input: Record<string, unknown>
  healthyRecordIds: string[]
}

function detailOf(
  connection: TelemetryConnection,
  question: PainQuestion,
  { pain, found, input, healthyRecordIds }: DetailSources,
): PainDetail {
  const off = new Set(question.off)
  const [first] = found
  const detection = first ? toTraceSpan(first.stored.ctx, off).detection : null
  const named = readNamed(connection.db, question, pain.fingerprintNo)
  const users = new Set([...named.users, ...pain.open.flatMap(({ user }) => (user === null ? [] : [user]))])
  const releases = new Set([...named.releases, ...pain.open.flatMap(({ failure }) => failure.view.release ?? [])])
  return {
    ...wordsOf(connection.db, pain),
    because: detection?.because ?? pain.open[0]?.failure.detection.because ?? null,
    frames: framesOf(detection?.stack ?? null),
    evidence: found.map(({ evidence }) => evidence),
    services: sorted(new Set([pain.service, ...named.services, ...pain.open.flatMap(({ services }) => services)])),
    routes: sorted(new Set(found.flatMap((evidence) => routesAbove(evidence)))),
    releases: sorted(releases),
    users: users.size > 0 ? users.size : null,
    input,
    healthyRecordIds,
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
