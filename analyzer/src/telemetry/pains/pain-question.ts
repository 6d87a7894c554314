import type { SignalType } from '@loopkit/shared/signals/signal-type'
import type { PainDetail, PainFacts } from '../../domain/pain-facts.ts'
import type { PainView } from '../../domain/pain-view.ts'
import type { ShownPains } from '../../domain/shown-pains.ts'
import type { HourlySeries } from '../../domain/trend/hourly-series.ts'
import type { FailureScope, FailureSelection } from '../counts/failure-scope.ts'
import type { EvidenceRow } from '../evidence/evidence-order.ts'
import type { RepeatedRule } from './diagnosis-rules.ts'
import type { OpenFailure } from './open-failures.ts'

export interface PainQuestion extends FailureScope {
  projectId: string
  /** Only pains whose failures have their origin in this service. */
  service: string | null
  off: readonly SignalType[]
  view: PainView
  /** Muted pains are shown too. */
  withMuted: boolean
  /** Only the pain with this fingerprint, in hex; null for all. */
  only: string | null
  /** Pains that are shown in full: so many, after skipping so many of the heaviest; the rest is counted. */
  painsSkip: number
  painsMax: number
  /** Those to skip by name, where ranks may have changed since they were shown. */
  shown?: ShownPains
  /** Only what lists show is wanted: pains are not compared with healthy runs. */
  isList?: boolean
  repeated: RepeatedRule
}

/** A pain with what its details are read from. */
export interface RankedPain extends PainFacts, FailureSelection {
  /** The one that names it; null where only undecided failures do. */
  headNo: number | null
  /** Steps that a split adds to those of the one that names it. */
  splitSteps: PainDetail['steps']
  open: OpenFailure[]
  /** Of those that it fails in. */
  operationNos: number[]
  /** Its weeks; null where they were not read. */
  series: HourlySeries | null
  /** Of runs that are too slow or too dear: those known by name, in the order of evidence. Nothing else says which they are. */
  outlierRows?: EvidenceRow[]
  /** Services that waited for them, their own too. */
  outlierServices?: string[]
}
