import { fromHex } from '@loopkit/shared/otlp/ids'
import { OVERFLOW_FINGERPRINT } from '@loopkit/shared/signals/fingerprint-cap'
import { capFingerprints } from '../../domain/cap-fingerprints.ts'
import { painIdOf } from '../../domain/opaque-id.ts'
import { isRepeated } from '../../domain/packet/build-packet.ts'
import type { Omission } from '../../domain/packet/model.ts'
import { failuresOf, type PainFacts, type PainReading } from '../../domain/pain-facts.ts'
import { withoutShown } from '../../domain/shown-pains.ts'
import { rankPains } from '../../domain/weigh-pain.ts'
import { countPains, countRuns, countTelemetryRead } from '../counts/window-counts.ts'
import { outlierPains } from '../outliers/outlier-pains.ts'
import type { TelemetryConnection } from '../telemetry-file.ts'
import { joinPains } from './join-pains.ts'
import { judgeOpenTraces, type OpenFailure } from './open-failures.ts'
import { readPainDetails } from './pain-details.ts'
import type { PainQuestion, RankedPain } from './pain-question.ts'
import { withSeries } from './pain-series.ts'
import { readOnset } from './read-onset.ts'
import { splitDecided } from './split-decided.ts'
import { withoutSources } from './without-sources.ts'

export interface WindowReading {
  telemetryRead: number
  /** Of muted pains too. */
  failures: number
  /** Whether any pain of the window that is not muted is repeated, shown or not. */
  repeated: boolean
  /** Heaviest first. */
  pains: PainReading[]
  painsTotal: number
  /** Behind those that are shown. */
  painsLeft: number
  omitted: Omission[]
}

/** Pains named among those that are left out because they are muted. */
const MUTED_NAMED_MAX = 3

/** Where pains that a packet leaves out are listed, muted ones too. */
const PAINS = '/v1/pains'

/** All that one window says. Call it inside a read transaction, so that a failure is either decided or provisional, never both. */
export function readPains(connection: TelemetryConnection, question: PainQuestion): WindowReading {
  const { window, service, painsSkip, painsMax, only } = question
  const { all: everyPain, notJudged, notRead } = rankAll(connection, question)
  const all = everyPain.filter(({ fingerprint }) => fingerprint !== OVERFLOW_FINGERPRINT)
  const notToldApart = everyPain.find(({ fingerprint }) => fingerprint === OVERFLOW_FINGERPRINT)
  const ranked = only === null ? all : all.filter(({ fingerprint }) => fingerprint === only)
  const muted = new Set(question.view.muted)
  const isHeard = ({ fingerprint }: RankedPain) => !muted.has(fingerprint)
  const isEnough = (pain: RankedPain) => failuresOf(pain) >= (question.repeated.shownMin?.[pain.signal] ?? 1)
  const enough = only === null ? ranked.filter(isEnough) : ranked
  const heard = enough.filter(isHeard)
  // Whoever asks for one pain by its id gets it.
  const wanted = question.withMuted ? enough : heard
  const { shown: listed, overflow } = only === null ? capFingerprints(wanted) : { shown: wanted, overflow: [] }
  const left = question.shown ? withoutShown(listed, question.shown) : listed.slice(painsSkip)
  const shown = left.slice(0, painsMax)
  const { details, expired } = readPainDetails(connection, question, shown)
  const unheard = ranked.filter(({ fingerprint }) => muted.has(fingerprint) && !question.withMuted)
  const omitted = [
    { what: 'open_traces', count: notJudged, reason: 'not_judged_yet' },
    { what: 'issues', count: left.length - shown.length, reason: 'lower_rank', href: PAINS },
    {
      what: 'issues',
      count: unheard.length,
      reason: 'muted',
      ids: namesOf(question, unheard.slice(0, MUTED_NAMED_MAX)),
      href: PAINS,
    },
    {
      what: 'issues',
      count: ranked.length - enough.length,
      reason: 'below_signals_min',
    },
    { what: 'issues', count: overflow.length, reason: 'fingerprint_overflow' },
    { what: 'failures', count: countFailures(overflow), reason: 'fingerprint_overflow' },
    { what: 'failures', count: notToldApart ? failuresOf(notToldApart) : 0, reason: 'fingerprint_cap' },
    { what: 'failures', count: notRead, reason: 'too_many_to_split' },
    { what: 'evidence', count: expired, reason: 'evidence_expired' },
  ]
  return {
    telemetryRead: countTelemetryRead(connection, question.projectNo, window, service),
    failures: countFailures(ranked),
    repeated: heard.some((pain) => isRepeated({ count: failuresOf(pain), sessions: pain.sessions }, question.repeated)),
    pains: shown.map((pain, at) => ({
      facts: { ...withoutSources(pain), onset: readOnset(connection.db, pain) },
      detail: details[at]!,
    })),
    painsTotal: listed.length,
    painsLeft: left.length - shown.length,
    omitted: omitted.filter(({ count }) => count > 0),
  }
}

function countFailures(pains: readonly PainFacts[]): number {
  return pains.reduce((sum, pain) => sum + failuresOf(pain), 0)
}

/** Every pain of the window, decided or not, merged as people want them, heaviest first. */
function rankAll(
  connection: TelemetryConnection,
  question: PainQuestion,
): { all: RankedPain[]; notJudged: number; notRead: number } {
  const { db } = connection
  const runs = countRuns(connection, question.projectNo, question.window, question.events)
  const counted = countPains(connection, { ...question, middleMinute: runs.middleMinute })
  const { decided, notRead } = splitDecided(connection, question, { counted, middleMinute: runs.middleMinute })
  const { failures, notJudged } = judgeOpenTraces(connection, { ...question, off: new Set(question.off) })
  const open = failures.filter((failure) => isWanted(failure, question))
  const pains = rankPains(joinPains(db, question, { decided, open, runs }))
  const failing = withSeries(db, question, { pains, middleMinute: runs.middleMinute })
  return { all: rankPains(withOutliers(failing, outlierPains(connection, question, runs))), notJudged, notRead }
}

/** Where a person merged them, one pain: its failures tell more than runs that only took long. */
function withOutliers(failing: readonly RankedPain[], outliers: readonly RankedPain[]): RankedPain[] {
  const joined = new Map(failing.map((pain) => [pain.fingerprint, pain]))
  for (const pain of outliers) {
    const known = joined.get(pain.fingerprint)
    joined.set(pain.fingerprint, known ? { ...known, decided: known.decided + pain.decided } : pain)
  }
  return [...joined.values()]
}

function isWanted({ service, eventMs }: OpenFailure, { service: wanted, events }: PainQuestion): boolean {
  if (wanted !== null && service !== wanted) return false
  return events === null || (eventMs >= events.fromMs && eventMs < events.toMs)
}

function namesOf({ projectId }: PainQuestion, pains: readonly PainFacts[]): string[] {
  return pains.map(({ fingerprint }) => painIdOf(projectId, fromHex(fingerprint)!))
}
