import type { SignalType } from '@loopkit/shared/signals/signal-type'
import { digestOf } from '../opaque-id.ts'
import type { DiagnosisPacket, Issue, PainStatus, Severity, Trend } from '../packet/model.ts'

export type OpenPain = {
  pain_id: string
  title: string
  severity: Severity
  signal_type: SignalType
  count: number
  session_count: number
  evidence_count: number
  first_seen: string
  last_seen: string
  trend: Trend | null
  status: PainStatus
  provisional: boolean
}

/** One side of a verdict, as it was said. */
export type VerdictSide = { failures: number; runs: number; window: { from: string; to: string } | null }

/** The latest verdict on one pain (or service) and one change. */
export type VerdictRow = {
  pain_id: string | null
  title: string | null
  change_id: string
  verdict: string
  before: VerdictSide
  after: VerdictSide
  change_percent: number | null
  at: string
}

export type Artifact = {
  kind: 'issue_draft' | 'eval_candidate' | 'patch_plan' | 'report'
  pain_id?: string
  packet_id: string
  url: string
  digest: string
  created_at: string
}

export type LastRun = {
  packet_id: string
  status: string
  created_at: string
  since_minutes: number
  telemetry_read: number
  failures: number
}

export type Momentum = 'improving' | 'steady' | 'slipping' | 'unmeasured'

export type Dashboard = {
  summary: {
    project_id: string
    window: { from: string; to: string }
    since_minutes: number
    telemetry_read: number
    failures: number
    open_pain_count: number
    regression_rate: number | null
  }
  value: {
    headline: string
    momentum: Momentum
    held_count: number
    slipped_count: number
    open_pain_count: number
    regression_rate: number | null
    derived: true
  }
  open_pains: OpenPain[]
  wins: VerdictRow[]
  regressions_detail: VerdictRow[]
  last_run: LastRun | null
  artifacts: Artifact[]
}

export interface DashboardFacts {
  projectId: string
  window: { from: string; to: string }
  sinceMinutes: number
  telemetryRead: number
  failures: number
  issues: readonly Issue[]
  /** Pains of the window, those that are not among `issues` included. */
  painsTotal: number
  /** The latest of each change and pain, newest first. */
  verdicts: readonly VerdictRow[]
  lastRun: LastRun | null
}

/** Rows shown of each kind. */
const ROWS_MAX = 20

/** What the project's owner looks at. Every number of `value` but the open pains comes from verdicts: what traffic said, not what we hope. */
export function buildDashboard(facts: DashboardFacts): Omit<Dashboard, 'artifacts'> {
  const { projectId, window, sinceMinutes, telemetryRead, failures, issues, verdicts, lastRun } = facts
  const of = (...words: string[]) => verdicts.filter(({ verdict }) => words.includes(verdict))
  const held = of('held').length
  const slipped = of('slipped').length
  const closed = issues.filter(({ status }) => status === 'verified').length
  const open = facts.painsTotal - closed
  const regressionRate = held + slipped === 0 ? null : slipped / (held + slipped)
  return {
    summary: {
      project_id: projectId,
      window,
      since_minutes: sinceMinutes,
      telemetry_read: telemetryRead,
      failures,
      open_pain_count: open,
      regression_rate: regressionRate,
    },
    value: {
      headline: headlineOf({ held, slipped, worse: of('worse').length, open }),
      momentum: momentumOf({ held, back: of('slipped', 'worse').length, measured: verdicts.length }),
      held_count: held,
      slipped_count: slipped,
      open_pain_count: open,
      regression_rate: regressionRate,
      derived: true,
    },
    open_pains: issues
      .filter(({ status }) => status !== 'verified')
      .slice(0, ROWS_MAX)
      .map(toOpenPain),
    wins: of('held').slice(0, ROWS_MAX),
    regressions_detail: of('slipped', 'worse').slice(0, ROWS_MAX),
    last_run: lastRun,
  }
}

function toOpenPain(issue: Issue): OpenPain {
  const { pain_id, title, severity, signal_type, count, session_count, evidence_count, first_seen, last_seen } = issue
  const { trend, status, provisional } = issue
  return {
    ...{ pain_id, title, severity, signal_type, count, session_count, evidence_count, first_seen, last_seen },
    ...{ trend, status, provisional },
  }
}

function momentumOf({ held, back, measured }: { held: number; back: number; measured: number }): Momentum {
  if (measured === 0) return 'unmeasured'
  if (held === back) return 'steady'
  return held > back ? 'improving' : 'slipping'
}

/** One or two plain sentences; never more than the numbers say. */
export function headlineOf({
  held,
  slipped,
  worse,
  open,
}: {
  held: number
  slipped: number
  worse: number
  open: number
}): string {
  const pains = open === 0 ? 'No pain is open.' : `${count(open, 'pain is', 'pains are')} open.`
  if (held + slipped + worse === 0) return `Nothing is measured yet: no change has a verdict. ${pains}`
  const parts = [
    held > 0 ? `${count(held, 'fix', 'fixes')} held` : null,
    slipped > 0 ? `${slipped} slipped back` : null,
    worse > 0 ? `${count(worse, 'change', 'changes')} made things worse` : null,
  ].filter((part) => part !== null)
  const sentence = parts.join(', ')
  return `${sentence[0]?.toUpperCase()}${sentence.slice(1)}. ${pains}`
}

function count(number: number, one: string, many: string): string {
  return `${number} ${number === 1 ? one : many}`
}

/** Drafts that the last packet holds, each with the digest of its JSON, and the report. */
export function artifactsOf(packet: DiagnosisPacket | null, reportDigest: string): Artifact[] {
  if (!packet) return []
  const { packet_id, created_at } = packet
  const url = `/v1/packets/${packet_id}`
  const drafts = packet.issues.slice(0, ROWS_MAX).flatMap(({ pain_id, issue_draft, eval_candidate, patch_plan }) =>
    Object.entries({ issue_draft, eval_candidate, patch_plan })
      .filter(([, draft]) => draft !== null)
      .map(([kind, draft]) => ({
        kind: kind as Artifact['kind'],
        pain_id,
        packet_id,
        url,
        digest: digestOf(JSON.stringify(draft)),
        created_at,
      })),
  )
  return [{ kind: 'report', packet_id, url: '/v1/reports/latest.md', digest: reportDigest, created_at }, ...drafts]
}
