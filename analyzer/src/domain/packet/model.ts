import type { EvalCandidate } from '@loopkit/shared/eval-candidate/model'
import type { SignalType } from '@loopkit/shared/signals/signal-type'
import type { Contrast } from '../contrast/contrast-records.ts'
import type { Season } from '../trend/seasonal-trend.ts'

/** Version of the packet's shape; raised when a field changes its meaning. */
export const PACKET_SCHEMA_VERSION = 1

export type Severity = 'low' | 'medium' | 'high' | 'critical'
export type Trend = 'new' | 'rising' | 'steady' | 'falling'
/** What a trend is told against. */
export type TrendBasis = Season | 'halves_of_the_window'
export type PainStatus = 'new' | 'in_progress' | 'verified' | 'regression'

/** Something the packet leaves out, with how much of it and why. */
export interface Omission {
  what: string
  count: number
  reason: string
  /** The first of them by name, where there is room. */
  ids?: string[]
  /** What shows the first of them, where nothing else of it is left. */
  evidence_ids?: string[]
  /** Where it can be read, where there is room. */
  href?: string
}

export interface TraceReference {
  trace_id: string
  session_id: string
  failed_at: string
}

export interface BlastRadius {
  services: string[]
  routes: string[]
  releases: string[]
  sessions: number
  users: number | null
}

export interface Suspect {
  change_id: string
  kind: string
  ref: string | null
  shipped_at: string
  distance_seconds: number
  why: string
}

/** Where a change is likely, as far as telemetry names it. */
export interface PlanTarget {
  service: string
  operation: string
  files: string[]
  functions: string[]
  /** Of the stack signature, nearest to the raise first. */
  frames: string[]
  tool: string | null
  model: string | null
  agent: string | null
}

export interface PatchPlan {
  plan_digest: string
  hypothesis: string
  targets: PlanTarget[]
  steps: string[]
  risk: 'low' | 'medium' | 'high'
  verify: { metric: string; minimum_runs: number | null; window_hours: number | null }
}

export interface Issue {
  pain_id: string
  title: string
  severity: Severity
  signal_type: SignalType
  count: number
  session_count: number
  evidence_count: number
  evidence_ids: string[]
  traces: TraceReference[]
  first_seen: string
  last_seen: string
  trend: Trend | null
  /** What the trend is told against. */
  trend_basis: TrendBasis | null
  status: PainStatus
  provisional: boolean
  why: string
  blast_radius: BlastRadius | null
  contrasts: Contrast[] | null
  suspects: Suspect[] | null
  next_action: string
  issue_draft: { title: string; body_md: string } | null
  eval_candidate: EvalCandidate | null
  patch_plan: PatchPlan | null
  /** Field → why it cannot be said: the code of a reason. */
  unavailable: Record<string, string>
}

/** The answer of one diagnosis (contract §4). */
export interface DiagnosisPacket {
  packet_id: string
  tenant_id: string
  project_id: string
  status: 'ready_for_issue_diagnosis' | 'observe_more'
  issues: Issue[]
  approval_required: boolean
  approval_reason: string | null
  created_at: string
  source: 'telemetry'
  service: string | null
  since_minutes: number
  window: { from: string; to: string }
  telemetry_read: number
  failures: number
  omitted: Omission[]
  schema_version: number
}
