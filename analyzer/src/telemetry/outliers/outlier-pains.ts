import type { SqliteDatabase } from '@loopkit/shared/database/open'
import { toHex } from '@loopkit/shared/otlp/ids'
import type { Exemplar } from '@loopkit/shared/rollup/exemplars'
import { valueOfBin } from '@loopkit/shared/rollup/sketch'
import { HOUR_MS } from '@loopkit/shared/rollup/sketch-delta'
import { keyOf, scopeOf, stableService } from '@loopkit/shared/signals/fingerprint'
import { encodeRecordId } from '@loopkit/shared/span/record-id'
import { quantilesOf } from '../../domain/outliers/judge-outliers.ts'
import type { OutlierFacts } from '../../domain/outliers/outlier-words.ts'
import type { RunCounts } from '../counts/window-counts.ts'
import type { EvidenceRow } from '../evidence/evidence-order.ts'
import type { PainQuestion, RankedPain } from '../pains/pain-question.ts'
import type { TelemetryConnection } from '../telemetry-file.ts'
import { type BlamedPlace, blameOutliers } from './blame-outliers.ts'
import { readOutliers } from './read-outliers.ts'

const MINUTE_MS = 60_000

/** Which pain slow or dear runs of an operation are: the place and the signal alone, as no failure has words. */
export function outlierFingerprint(projectId: string, { signal, service, operation }: Place) {
  const place = [
    ['signal', signal],
    ['service', stableService(service)],
    ['operation', operation],
  ]
  const scope = scopeOf(projectId)
  return {
    key: toHex(keyOf([...scope, 'own', ...place.flat()])),
    parentKey: toHex(keyOf([...scope, 'parent', ...place.flat()])),
    steps: place.map(([step, value]) => ({ step: step!, value: value! })),
  }
}

type Place = Pick<BlamedPlace, 'signal' | 'service' | 'operation'>

export type OutlierQuestion = Pick<PainQuestion, 'projectNo' | 'projectId' | 'window' | 'events' | 'service' | 'off'> & {
  view: Pick<PainQuestion['view'], 'rootOf'>
}

/** Pains of runs that did not fail and were slower or dearer than usual, as the window sees them. */
export function outlierPains(connection: TelemetryConnection, question: OutlierQuestion, runs: RunCounts): RankedPain[] {
  // Whoever asks about one service still wants to know where it only waited for another.
  const places = blameOutliers(connection, question.projectNo, readOutliers(connection, { ...question, service: null }))
  const wanted = places.filter(({ service }) => question.service === null || service === question.service)
  return wanted.map((place) => toPain(connection, question, { place, runs }))
}

function toPain(
  connection: TelemetryConnection,
  question: OutlierQuestion,
  { place, runs }: { place: BlamedPlace; runs: RunCounts },
): RankedPain {
  const { signal, service, operation, operationNo, exemplars, firstMs } = place
  const { key, parentKey, steps } = outlierFingerprint(question.projectId, place)
  const sessionOf = prepareSessionOf(connection, question.projectNo)
  const outlierRows = inEvidenceOrder(exemplars).map((exemplar) => toRow(exemplar, sessionOf))
  const times = exemplars.map(({ eventMs }) => eventMs)
  const outlier = factsOf(place)
  const halves = halvesOf(place, runs.middleMinute)
  return {
    ...{ fingerprintNos: [], moved: [], left: [], movedFrom: [], parts: null, headNo: null, open: [], series: null },
    ...{ fingerprint: question.view.rootOf[key] ?? key, parentKey, signal, service, operation, outlierRows, outlier },
    splitSteps: steps,
    decided: outlier.beyond,
    provisional: 0,
    traces: new Set(outlierRows.map(({ traceId }) => toHex(traceId))).size,
    sessions: new Set(outlierRows.map(({ sessionId }) => sessionId)).size,
    ended: 0,
    firstSeenMs: firstOf(firstMs, times),
    firstEventMs: Math.min(...times),
    lastEventMs: Math.max(...times),
    runs: Math.max(outlier.runs, place.measure === 'latency' ? (runs.byOperation.get(operationNo)?.runs ?? 0) : 0),
    ...halves,
    ...{ season: null, novelty: null },
    operationNos: [operationNo],
    onset: { kind: 'first_failure', atMs: firstOf(firstMs, times), uncertainMs: 0 },
    outlierServices: place.services,
  }
}

/** The first that is known of the hour in which it began, else the hour. */
function firstOf(firstMs: number, times: readonly number[]): number {
  const ofFirst = times.filter((ms) => Math.floor(ms / HOUR_MS) * HOUR_MS === firstMs)
  return ofFirst.length === 0 ? firstMs : Math.min(...ofFirst)
}

function factsOf({ measure, hours }: BlamedPlace): OutlierFacts {
  const worst = hours.toSorted((a, b) => b.beyond - a.beyond || b.bucket - a.bucket)[0]!
  const sum = (of: (hour: (typeof hours)[number]) => number) => hours.reduce((total, hour) => total + of(hour), 0)
  return {
    measure,
    days: daysOf(hours),
    beyond: sum(({ beyond }) => beyond),
    runs: sum((hour) => hour.runs),
    threshold: valueOfBin(worst.thresholdBin),
    usual: worst.usual,
    now: quantilesOf(worst.now),
    basis: worst.basis,
    learntFrom: worst.learntFrom,
  }
}

const DAY_HOURS = 24

function daysOf(hours: BlamedPlace['hours']): OutlierFacts['days'] {
  return [...Map.groupBy(hours, ({ bucket }) => Math.floor(bucket / DAY_HOURS))].map(([day, own]) => ({
    day: new Date(day * DAY_HOURS * HOUR_MS).toISOString().slice(0, 10),
    failures: own.reduce((total, { beyond }) => total + beyond, 0),
  }))
}

/** By event time; of the hour in which the second half begins, as much as lies on each side. */
function halvesOf(
  { hours, runs: ran }: Pick<BlamedPlace, 'hours' | 'runs'>,
  middleMinute: number,
): Pick<RankedPain, 'earlier' | 'later'> {
  const earlier = { failures: 0, runs: 0 }
  const later = { failures: 0, runs: 0 }
  const beyondOf = new Map(hours.map(({ bucket, beyond }) => [bucket, beyond]))
  for (const { bucket, runs } of ran) {
    const beyond = beyondOf.get(bucket) ?? 0
    const share = Math.min(1, Math.max(0, (middleMinute * MINUTE_MS - bucket * HOUR_MS) / HOUR_MS))
    earlier.failures += Math.round(share * beyond)
    earlier.runs += Math.round(share * runs)
    later.failures += beyond - Math.round(share * beyond)
    later.runs += runs - Math.round(share * runs)
  }
  return { earlier, later }
}

/** As evidence of failures: the latest, the first, then by the last bytes of the trace id. */
function inEvidenceOrder(exemplars: readonly Exemplar[]): Exemplar[] {
  const tail = ({ traceId }: Exemplar) => toHex(traceId.subarray(9))
  const byChance = exemplars.toSorted((a, b) =>
    tail(a) < tail(b) ? -1 : tail(a) > tail(b) ? 1 : toHex(a.spanId) < toHex(b.spanId) ? -1 : 1,
  )
  const latest = byChance.toSorted((a, b) => b.eventMs - a.eventMs)[0]!
  const first = byChance.toSorted((a, b) => a.eventMs - b.eventMs)[0]!
  return [...new Set([latest, first, ...byChance])]
}

function toRow({ traceId, spanId, eventMs }: Exemplar, sessionOf: (traceId: Uint8Array) => string): EvidenceRow {
  return { traceId, spanId, recordId: encodeRecordId(traceId, spanId), sessionId: sessionOf(traceId), eventMs }
}

/** The session that the trace names, where it names one; else it stands for itself. */
function prepareSessionOf({ db, hasher }: TelemetryConnection, projectNo: number): (traceId: Uint8Array) => string {
  const find = (db as SqliteDatabase)
    .prepare(
      `select s.session_id from session_trace t indexed by session_trace_by_trace join session s on s.session_no = t.session_no
       where t.project_no = ? and t.trace_hash = ? and s.explicit = 1 order by s.session_id limit 1`,
    )
    .pluck()
  return (traceId) => (find.get(projectNo, BigInt.asIntN(64, hasher(projectNo, traceId))) as string | undefined) ?? toHex(traceId)
}
