import type { ObservedRun } from '@loopkit/shared/eval-candidate/model'
import type { SignalType } from '@loopkit/shared/signals/signal-type'
import type { Contrasts } from './contrast/contrast-records.ts'
import type { OutlierFacts } from './outliers/outlier-words.ts'
import type { Novelty } from './trend/novelty.ts'
import type { SeasonalTrend } from './trend/seasonal-trend.ts'

/** One pain in one window, as the read model counts it: what ranking needs, for every pain. */
export interface PainFacts {
  /** Hex of the 16 bytes. */
  fingerprint: string
  parentKey: string
  signal: SignalType
  service: string
  operation: string
  /** Decided failures and those of traces still undecided; never both for one failure. */
  decided: number
  provisional: number
  traces: number
  sessions: number
  /** Failures whose error reached the root of its trace: all that the run was for is lost. */
  ended: number
  /** Earliest event ever known of it, this window or before. */
  firstSeenMs: number
  /** Event times inside the window. */
  firstEventMs: number
  lastEventMs: number
  /** Runs of the operation that arrived in the window. */
  runs: number
  /** The halves of the window's traffic by event time. */
  earlier: { failures: number; runs: number }
  later: { failures: number; runs: number }
  /** How it goes against the same hours of earlier weeks or days; null without enough history. */
  season: SeasonalTrend | null
  /** Whether it is new or back; null where it is neither, or where nobody can tell. */
  novelty: Novelty | null
  onset: Onset
  /** Where the pains that were merged into it fail, and how, itself first; only where they differ. */
  places?: readonly FailingPlace[]
  /** Its runs did not fail, they took longer or cost more than usual. */
  outlier?: OutlierFacts
}

/** What fails where. */
export type FailingPlace = Pick<PainFacts, 'service' | 'operation' | 'signal'>

/** When a pain began to be what it is. */
export interface Onset {
  kind: 'first_failure' | 'rise' | 'return'
  atMs: number
  /** It may have begun so much later. */
  uncertainMs: number
}

/** One failure that can be read again: its record resolves. */
export interface EvidenceRecord {
  recordId: string
  traceId: string
  sessionId: string
  failedAtMs: number
  /** Where it failed; only where it was read back. */
  place?: Pick<FailingPlace, 'service' | 'operation'>
}

/** The run behind a pain that judges what a run came to, beside healthy runs of the same request. */
export interface RunOutcome {
  /** The failing record, one of the evidence. */
  recordId: string
  /** The words that the run began with. */
  request: string | null
  input: Record<string, unknown>
  failing: ObservedRun
  twins: { recordId: string; run: ObservedRun }[]
}

/** Where a record says that its code is, and with what it worked; nothing where it does not say. */
export interface CodePlace {
  files: string[]
  functions: string[]
  tool: string | null
  model: string | null
  agent: string | null
}

/** What is read for the pains that are shown. */
export interface PainDetail {
  title: string
  errorType: string | null
  template: string
  /** The words of one failure, redacted and as sent. */
  sampleMessage: string | null
  because: string | null
  /** From raw text to fingerprint, in order. */
  steps: { step: string; value: string }[]
  /** Frames of the signature, innermost first; empty where the failure carried no stack. */
  frames: string[]
  evidence: EvidenceRecord[]
  /** Whether any of it was read back with its trace: of lower ranks it is only named. */
  isRead: boolean
  /** Log records that tell of these failures and are none by themselves. */
  logRecordIds: string[]
  services: string[]
  /** Of the failing records that were read back. */
  routes: string[]
  releases: string[]
  /** null where no span of the traces names a user. */
  users: number | null
  /** Where the first failing record says that its code is, and with what it worked. */
  place: CodePlace
  /** What the first failing record was asked to do: a bounded choice of its attributes. */
  input: Record<string, unknown>
  /** Healthy records of the same operation. */
  healthyRecordIds: string[]
  /** Read for few pains, and only for those of outcomes. */
  outcome: RunOutcome | null
  /** What sets its failing records apart, or why that is not said. */
  contrasts: Contrasts
}

/** A pain as packets, reports and the dashboard speak of it. */
export interface PainReading {
  facts: PainFacts
  detail: PainDetail
}

/** Failures of a pain in its window, decided or not. */
export function failuresOf({ decided, provisional }: Pick<PainFacts, 'decided' | 'provisional'>): number {
  return decided + provisional
}
