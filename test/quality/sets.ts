import { measureCanaries } from './canary-verdicts.ts'
import { measureEvalCandidates } from './eval-trials.ts'
import { measurePairs, measureTemplates } from './group-lines.ts'
import { measureKnownCauses } from './known-causes.ts'
import { measureMarkedChanges } from './marked-changes.ts'
import type { Measure } from './measure.ts'
import { locateSet, NothingToMeasure } from './read-set.ts'
import { measureStatistics } from './scipy-oracle.ts'
import { measureTrail, toMeasure } from './trail.ts'
import { measureWhoAndWhen } from './who-and-when.ts'

/** A public set that something is measured on. */
export interface MeasuredSet {
  name: string
  /** File or folder under ../shared/data. */
  data: string
  measure(path: string): Measure
}

const SETS: readonly MeasuredSet[] = [
  { name: 'message templates', data: 'loghub', measure: measureTemplates },
  { name: 'must-group / must-split', data: 'message_pairs.json', measure: measurePairs },
  { name: 'agent traces (TRAIL)', data: 'trail', measure: (path) => toMeasure(measureTrail(path)) },
  { name: 'eval candidates', data: 'tau_airline.json.gz', measure: measureEvalCandidates },
  { name: 'who failed, when (Who&When)', data: 'who_and_when.json.gz', measure: measureWhoAndWhen },
  { name: 'which attributes explain it', data: 'rs', measure: measureKnownCauses },
  { name: 'change points', data: 'tcpd', measure: measureMarkedChanges },
  { name: 'canary verdicts', data: 'kayenta.json', measure: measureCanaries },
  { name: 'statistics', data: 'stats_oracle.json', measure: measureStatistics },
]

/** The sets whose data lies in the folder, and those whose data does not. */
export function findSets(folder: string): { present: (MeasuredSet & { path: string })[]; absent: readonly MeasuredSet[] } {
  const located = SETS.map((set) => ({ ...set, path: locateSet(folder, set.data) }))
  return {
    present: located.flatMap((set) => (set.path === null ? [] : [{ ...set, path: set.path }])),
    absent: located.filter(({ path }) => path === null),
  }
}

/** The measure; why there is none where the set holds nothing that could be scored, or is laid out otherwise. */
export function tryMeasure({ measure, path }: MeasuredSet & { path: string }): Measure | { why: string } {
  try {
    return measure(path)
  } catch (error) {
    return { why: whyNot(error) }
  }
}

export function whyNot(error: unknown): string {
  if (error instanceof NothingToMeasure) return error.message
  const text = error instanceof Error ? error.message : String(error)
  return `not of the expected layout (${text.replaceAll(/\s+|\|/g, ' ')})`
}
