import type { Omission } from '../../domain/packet/model.ts'
import { compareWithTwin, type Parting } from '../../domain/session/compare-twin.ts'
import { type DecisiveStep, findDecisiveSteps } from '../../domain/session/decisive-step.ts'
import { type Evidence, type ScorePart, scoreSession } from '../../domain/session/scorecard.ts'
import type { SessionStep } from '../../domain/session/session-step.ts'
import { oneLine } from '../../domain/untrusted-text.ts'
import type { RecordOwner } from '../records/record-sessions.ts'
import type { TelemetryConnection } from '../telemetry-file.ts'
import { findSessionTraces } from './find-session.ts'
import { findTwin, type Twin } from './find-twin.ts'
import { roundCost, type SessionTotals, sumParts } from './session-totals.ts'
import { readWholeSession, type WholeSession } from './whole-session.ts'

export interface ScorecardQuestion extends RecordOwner {
  /** A session id or a trace id, as it was sent. */
  id: string
}

/** A step as it is shown: enough to find its record. */
export type ShownStep = {
  record_id: string
  url: string
  service: string
  operation: string
  agent: string | null
  started_at_unix_nano: string
}

export type ShownDecisive = ShownStep & { rule: DecisiveStep['rule']; because: string; turn: ShownStep | null }

export type Scorecard = SessionTotals & {
  session_id: string
  traces: number
  provisional: boolean
  cost: CostAccount
  scorecard: { part: string; mark: string | null; because: string; evidence: ShownEvidence[]; evidence_count: number }[]
  leverage_step: ShownDecisive | null
  candidates: ShownDecisive[]
  twin: ShownTwin | null
  unavailable: Record<string, string>
  omitted: Omission[]
}

/** What the calls of models cost; without a price for all of them there is no whole. */
export type CostAccount = {
  priced_calls: number
  priced_usd: number
  unpriced: { model: string | null; calls: number }[]
}

export type ShownEvidence = { record_id: string; url: string; because: string }

export type ShownTwin = {
  session_id: string
  started_at: string | null
  likeness: number
  steps: { same: number; only_here: number; only_in_twin: number }
  /** Ours less the twin's. */
  differences: { turns: number; tool_calls: number; tokens: number; cost_usd: number | null; duration_ms: number | null }
  parted_at: { kind: Parting['kind']; because: string; ours: ShownStep | null; theirs: ShownStep | null } | null
}

/** Evidence of one mark, and models without a price, that are shown; all are counted. */
const EVIDENCE_SHOWN = 10
const MODELS_SHOWN = 10
const BECAUSE_CHARS = 240
const LIKENESS_DIGITS = 1000

/** How a session went, by its parts; null where no record is known under this id. */
export function answerScorecard(connection: TelemetryConnection, question: ScorecardQuestion): Scorecard | null {
  const named = findSessionTraces(connection, question.projectNo, question.id)
  const session = named && readWholeSession(connection, question, { ...named, id: question.id })
  if (!named || !session) return null
  const { steps } = session
  const twin = findTwin(connection, question, session, named.traceIds)
  const totals = sumParts(session.parts)
  const cost = accountOf(steps)
  const decisive = findDecisiveSteps(steps).map((one) => showDecisive(steps, one))
  return {
    session_id: session.sessionId,
    ...totals,
    // Of a part nobody knows the whole.
    cost_usd: cost.unpriced.length > 0 ? null : totals.cost_usd,
    traces: session.traces,
    provisional: session.provisional,
    cost,
    scorecard: scoreSession(steps).map((part) => showPart(steps, part)),
    leverage_step: decisive[0] ?? null,
    candidates: decisive,
    twin: typeof twin === 'string' ? null : showTwin(session, totals, twin),
    unavailable: {
      ...(typeof twin === 'string' && { twin }),
      ...(cost.unpriced.length > 0 && { cost_usd: 'model_without_price' }),
    },
    omitted: session.omitted,
  }
}

function accountOf(steps: readonly SessionStep[]): CostAccount {
  const calls = steps.filter(({ usage }) => usage !== null)
  const priced = calls.flatMap(({ costUsd }) => costUsd ?? [])
  const unpriced = new Map<string | null, number>()
  for (const { model, costUsd } of calls) if (costUsd === null) unpriced.set(model, (unpriced.get(model) ?? 0) + 1)
  return {
    priced_calls: priced.length,
    priced_usd: roundCost(priced.reduce((sum, usd) => sum + usd, 0)),
    unpriced: [...unpriced]
      .map(([model, count]) => ({ model, calls: count }))
      .sort((a, b) => b.calls - a.calls || ((a.model ?? '') < (b.model ?? '') ? -1 : 1))
      .slice(0, MODELS_SHOWN),
  }
}

function showStep({ recordId, service, operation, agent, startUnixNano }: SessionStep): ShownStep {
  const at = String(startUnixNano)
  return { record_id: recordId, url: urlOf(recordId), service, operation, agent, started_at_unix_nano: at }
}

const urlOf = (recordId: string) => `/v1/telemetry?record_id=${recordId}`

function showDecisive(steps: readonly SessionStep[], { at, turn, agent, rule, because }: DecisiveStep): ShownDecisive {
  const shownTurn = turn === null ? null : showStep(steps[turn]!)
  return { ...showStep(steps[at]!), agent, rule, because: oneLine(because, BECAUSE_CHARS), turn: shownTurn }
}

function showPart(steps: readonly SessionStep[], { part, mark, because, evidence }: ScorePart): Scorecard['scorecard'][number] {
  const shown = ({ at, because: why }: Evidence) => {
    const { recordId } = steps[at]!
    return { record_id: recordId, url: urlOf(recordId), because: oneLine(why, BECAUSE_CHARS) }
  }
  return { part, mark, because, evidence: evidence.slice(0, EVIDENCE_SHOWN).map(shown), evidence_count: evidence.length }
}

function showTwin(ours: WholeSession, totals: SessionTotals, { session, likeness }: Twin): ShownTwin {
  const theirs = sumParts(session.parts)
  const { same, onlyHere, onlyInTwin, parted } = compareWithTwin(ours.steps, session.steps)
  const less = (a: number | null, b: number | null) => (a === null || b === null ? null : a - b)
  const cost = less(totals.cost_usd, theirs.cost_usd)
  return {
    session_id: session.sessionId,
    started_at: theirs.started_at,
    likeness: Math.round(likeness * LIKENESS_DIGITS) / LIKENESS_DIGITS,
    steps: { same, only_here: onlyHere, only_in_twin: onlyInTwin },
    differences: {
      turns: totals.turns - theirs.turns,
      tool_calls: totals.tool_calls - theirs.tool_calls,
      tokens: totals.tokens.total - theirs.tokens.total,
      cost_usd: cost === null ? null : roundCost(cost),
      duration_ms: less(totals.duration_ms, theirs.duration_ms),
    },
    parted_at: parted && showParting(ours.steps, session.steps, parted),
  }
}

function showParting(ours: readonly SessionStep[], theirs: readonly SessionStep[], { kind, ours: at, theirs: other }: Parting) {
  const mine = at === null ? null : ours[at]!
  const its = other === null ? null : theirs[other]!
  const because = {
    failed: `${mine?.operation} failed here and went well in the twin: ${mine?.failure?.signal}: ${mine?.failure?.message}`,
    only_here: `${mine?.operation} is done here and not in the twin`,
    only_in_twin: `${its?.operation} is done in the twin and not here`,
  }[kind]
  return { kind, because: oneLine(because, BECAUSE_CHARS), ours: mine && showStep(mine), theirs: its && showStep(its) }
}
