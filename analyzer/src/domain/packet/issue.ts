import { NO_TRACE_ID } from '@loopkit/shared/span/lone-trace-id'
import { type ChangeLedger, type ShippedChange, suspectsOf } from '../change-ledger.ts'
import { type OutlierFacts, outlierSentence } from '../outliers/outlier-words.ts'
import { type EvidenceRecord, failuresOf, type PainReading } from '../pain-facts.ts'
import { severityOf, trendOf } from '../weigh-pain.ts'
import { courseWords } from './course-words.ts'
import { evalCandidateOf } from './eval-candidate.ts'
import { issueDraftOf } from './issue-draft.ts'
import { counted } from './issue-words.ts'
import type { BlastRadius, Issue, PainStatus, Suspect } from './model.ts'
import { patchPlanOf, type VerifyRule } from './patch-plan.ts'

export interface IssueContext {
  painId: string
  ledger: ChangeLedger
  verify: VerifyRule
}

/** One pain as the packet shows it, in full. What cannot be said is null and has its reason in `unavailable`. */
export function issueOf(reading: PainReading, { painId, ledger, verify }: IssueContext): Issue {
  const { facts, detail } = reading
  const unavailable: Record<string, string> = {}
  if (detail.contrasts.reason !== null) unavailable.contrasts = detail.contrasts.reason
  const trend = trendOf(facts)
  if ('reason' in trend) Object.assign(unavailable, { trend: trend.reason, trend_basis: trend.reason })
  const changes = ledger.changes.filter((change) => !isCleared(change, reading))
  // An empty list says that changes are known and none stands near; without a ledger nothing can be said.
  const suspects = ledger.changes.length === 0 ? null : suspectsOf(facts.onset, [facts.service, ...detail.services], changes)
  if (suspects === null) unavailable.suspects = 'no_change_recorded'
  if (!detail.isRead) unavailable['blast_radius.routes'] = detail.evidence.length === 0 ? 'evidence_expired' : 'not_ranked'
  if (detail.users === null) unavailable['blast_radius.users'] = 'no_user_in_telemetry'
  const status = ledger.statusOf[painId] ?? 'new'
  const head = {
    pain_id: painId,
    title: detail.title,
    severity: severityOf(facts),
    signal_type: facts.signal,
    count: failuresOf(facts),
    session_count: facts.sessions,
    evidence_count: facts.outlier
      ? Math.max(facts.traces, detail.evidence.length)
      : failuresOf(facts) + detail.logRecordIds.length,
    evidence_ids: [...detail.evidence.map(({ recordId }) => recordId), ...detail.logRecordIds],
    traces: tracesOf(reading),
    first_seen: new Date(Math.min(facts.firstSeenMs, facts.firstEventMs)).toISOString(),
    last_seen: new Date(facts.lastEventMs).toISOString(),
    trend: 'trend' in trend ? trend.trend : null,
    trend_basis: 'trend' in trend ? trend.basis : null,
    status,
    provisional: facts.decided === 0,
    why: [whyOf(reading), ...courseWords(facts, 'trend' in trend ? trend.basis : null)].join('; '),
    blast_radius: radiusOf(reading),
    contrasts: detail.contrasts.contrasts,
    suspects,
    next_action: nextActionOf(reading, { painId, status, suspects: suspects ?? [] }),
  }
  const evalCandidate = evalCandidateOf(reading, painId)
  if (evalCandidate === null) unavailable.eval_candidate = facts.outlier ? 'no_assertion_on_time_or_cost' : 'evidence_expired'
  else if (!detail.isRead) unavailable['eval_candidate.input.attributes'] = 'not_ranked'
  if (evalCandidate?.must_pass_on === null) unavailable['eval_candidate.must_pass_on'] = 'no_healthy_run_found'
  const plan = patchPlanOf(reading, { painId, suspects: suspects ?? [], verify })
  if (plan.verify.minimum_runs === null) {
    for (const field of ['minimum_runs', 'window_hours']) unavailable[`patch_plan.verify.${field}`] = 'no_runs_of_the_operation'
  }
  return { ...head, issue_draft: issueDraftOf(head, reading, plan), eval_candidate: evalCandidate, patch_plan: plan, unavailable }
}

/** A version of the service itself in which none of the failures showed, while others are known that did show them. */
function isCleared({ service, version }: ShippedChange, { facts, detail }: PainReading): boolean {
  return service === facts.service && version !== null && detail.releases.length > 0 && !detail.releases.includes(version)
}

function tracesOf({ detail }: PainReading): Issue['traces'] {
  const seen = new Set<string>()
  return detail.evidence
    .map((evidence) => ({ evidence, name: nameOf(evidence) }))
    .filter(({ name }) => !seen.has(name) && seen.add(name))
    .map(({ evidence }) => evidence)
    .map(({ traceId, sessionId, failedAtMs }) => ({
      trace_id: traceId,
      session_id: sessionId,
      failed_at: new Date(failedAtMs).toISOString(),
    }))
}

/** What its trace is read by: a log record without one stands for itself. */
function nameOf({ traceId, sessionId }: EvidenceRecord): string {
  return traceId === NO_TRACE_ID ? sessionId : traceId
}

function radiusOf({ facts, detail }: PainReading): BlastRadius {
  return {
    services: detail.services,
    routes: detail.routes,
    releases: detail.releases,
    sessions: facts.sessions,
    users: detail.users,
  }
}

/** Why this is one pain and why it stands where it stands: numbers only, no text of the telemetry. */
function whyOf(reading: PainReading): string {
  const { facts, detail } = reading
  const failures = failuresOf(facts)
  if (facts.outlier) return whyOfOutlier(reading, facts.outlier)
  const share =
    facts.runs > 0
      ? `${failures} of ${counted(facts.runs, 'run')} of the operation failed the same way (${((100 * failures) / facts.runs).toFixed(1)} %)`
      : `${failures} failed the same way, of how many is not known`
  const parts = [
    `${share}, in ${counted(facts.traces, 'trace')} and ${counted(facts.sessions, 'session')}`,
    facts.provisional > 0 ? `${facts.provisional} of them in traces that are not yet decided` : null,
    detail.because === null ? null : `seen by: ${detail.because}`,
  ]
  return parts.filter((part) => part !== null).join('; ')
}

function whyOfOutlier({ facts, detail }: PainReading, outlier: OutlierFacts): string {
  const known = `${counted(facts.traces, 'trace')} of them known by name, in ${counted(facts.sessions, 'session')}`
  return [outlierSentence(outlier), known, detail.because && `seen by: ${detail.because}`].filter(Boolean).join('; ')
}

const NEXT: Record<PainStatus, (painId: string) => string> = {
  new: (painId) => `carry out patch_plan, then announce it: POST /v1/changes {"kind":"release","pain_ids":["${painId}"], …}`,
  in_progress: (painId) => `a change names it: POST /v1/runs/verify {"pain_id":"${painId}"} once traffic has passed it`,
  verified: () => 'a change held: leave it, and look again if it comes back',
  regression: () => 'a change did not hold: read what it changed before the next attempt',
}
/** A change that shipped so shortly before is looked at first. */
const NEAR_SECONDS = 6 * 3600

function nextActionOf(
  { facts, detail }: PainReading,
  { painId, status, suspects }: { painId: string; status: PainStatus; suspects: readonly Suspect[] },
): string {
  const [first] = detail.evidence
  const [suspect] = suspects
  const isNear = status !== 'verified' && suspect !== undefined && suspect.distance_seconds <= NEAR_SECONDS
  const read =
    first === undefined
      ? null
      : `read GET /v1/sessions/${encodeURIComponent(nameOf(first).toWellFormed())}?view=${facts.outlier ? 'skeleton' : 'errors'}`
  const suspected = isNear ? `compare it with ${suspect.change_id}, shipped ${suspect.distance_seconds} s before` : null
  const wait =
    failuresOf(facts) === 1 && status === 'new' ? 'it happened once: see whether it comes back before changing anything' : null
  return [read, suspected, wait ?? NEXT[status](painId)].filter((part) => part !== null).join('; ')
}
