import type { Generated } from 'kysely'

/** The columns of control.db as TypeScript reads them; shared/src/database/control/migrations.ts is what creates them. */
export interface ControlTables {
  project: ProjectTable
  api_key: ApiKeyTable
  audit: AuditTable
  packet: PacketTable
  pain: PainTable
  pain_merge: PainMergeTable
  pain_mute: PainMuteTable
  fingerprint_rule: FingerprintRuleTable
  change: ChangeTable
  verdict: VerdictTable
  verify_plan: VerifyPlanTable
  observation: ObservationTable
  pain_decision: PainDecisionTable
}

export interface ProjectTable {
  project_no: Generated<number>
  project_id: string
  tenant_id: string
  project_name: string
  operator: string
  sandbox: number
  quota_spans: number | null
  expires_at_ms: number | null
  retention_days: number | null
  recovery_epoch: Generated<number>
  created_at_ms: number
  deleted_at_ms: number | null
}

export interface ApiKeyTable {
  key_id: string
  project_no: number
  key_hash: Uint8Array
  prefix: string
  last_four: string
  kind: 'producer' | 'agent' | 'dashboard'
  scopes: string
  created_at_ms: number
  expires_at_ms: number | null
  revoked_at_ms: number | null
  last_used_at_ms: number | null
}

export interface AuditTable {
  seq: number
  at_ms: number
  request_id: string
  project_no: number | null
  key_id: string | null
  agent_id: string | null
  method: string
  route: string
  status: number
  address: string
  body_digest: string | null
  body: string | null
  code: string | null
  count: number
  previous_hash: Uint8Array
  hash: Uint8Array
}

export interface PacketTable {
  packet_id: string
  project_no: number
  created_at_ms: number
  since_minutes: number
  from_minute: number
  to_minute: number
  status: string
  telemetry_read: number
  failures: number
  /** Empty where it is zipped. */
  body: string
  zipped: Uint8Array | null
}

export interface PainTable {
  pain_id: string
  project_no: number
  fingerprint: Uint8Array
  title: string
  signal_type: string
  service: string
  operation: string
  first_seen_ms: number
  last_seen_ms: number
}

export interface PainMergeTable {
  pain_id: string
  project_no: number
  into_pain_id: string
  merged_at_ms: number
  key_id: string | null
}

export interface PainMuteTable {
  pain_id: string
  project_no: number
  reason: string
  until_ms: number | null
  muted_at_ms: number
  key_id: string | null
}

export interface FingerprintRuleTable {
  rule_no: Generated<number>
  rule_id: string
  project_no: number
  name: string | null
  pain_id: string | null
  matches: string
  grouped_by: string
  created_at_ms: number
  key_id: string | null
}

export interface ChangeTable {
  change_id: string
  project_no: number
  kind: string
  service: string | null
  version: string | null
  ref: string | null
  shipped_at_ms: number
  created_at_ms: number
  source: 'announced' | 'telemetry'
  pain_ids: string
}

export interface VerdictTable {
  verdict_no: Generated<number>
  project_no: number
  change_id: string
  pain_id: string
  at_ms: number
  verdict: string
  reason: string | null
  body: string
}

export interface VerifyPlanTable {
  change_id: string
  pain_id: string
  project_no: number
  frozen_at_ms: number
  plan_digest: string
  body: string
  next_look_ms: number | null
}

export interface ObservationTable {
  observation_no: Generated<number>
  observation_id: string
  project_no: number
  created_at_ms: number
  to_decision: number
  pains: string
  closed_at_ms: number | null
}

export interface PainDecisionTable {
  observation_no: number
  pain_id: string
  project_no: number
  next: 'patch' | 'observe' | 'skip'
  note: string | null
  at_ms: number
}
