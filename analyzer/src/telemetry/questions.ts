import type { ChangeLedger } from '../domain/change-ledger.ts'
import type { Issue } from '../domain/packet/model.ts'
import type { PainQuestion } from './pains/pain-question.ts'

/** What is remembered of a pain beyond telemetry's retention. */
export interface SeenPain {
  painId: string
  /** Hex. */
  fingerprint: string
  title: string
  signal: string
  service: string
  operation: string
  firstSeenMs: number
  lastSeenMs: number
}

export interface DiagnosisQuestion extends PainQuestion {
  tenantId: string
  sinceMinutes: number
  /** null: as long as it comes out. */
  budgetTokens: number | null
  ledger: ChangeLedger
  verifyRule: { delta: number; alpha: number }
  nowMs: number
}

export interface DiagnosisAnswer {
  packetId: string
  /** The packet's JSON, byte for byte as it is to be stored and answered. */
  packetJson: string
  status: string
  createdAtMs: number
  telemetryRead: number
  failures: number
  seen: SeenPain[]
}

/** As a diagnosis, without a packet: for lists and pages. */
export type IssuesQuestion = Omit<DiagnosisQuestion, 'budgetTokens' | 'tenantId' | 'nowMs'>

export interface IssuesAnswer {
  issues: Issue[]
  painsTotal: number
  painsLeft: number
  telemetryRead: number
  failures: number
  seen: SeenPain[]
}
