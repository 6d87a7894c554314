import { type ProjectRules, type RuleMatch, ruleDigestText } from '@loopkit/shared/signals/fingerprint-rules'
import { msToIso } from '@loopkit/shared/span/nanoseconds'
import type { AuditedChange } from '../../control/audited-change.ts'
import type { ControlQueries } from '../../control/control-database.ts'
import { opaqueId } from '../../domain/opaque-id.ts'
import type { PainView } from '../../domain/pain-view.ts'
import { describeRegrouping } from '../../domain/regrouping.ts'
import { showWindow, windowOfLast } from '../../domain/window.ts'
import { fail } from '../../http/errors.ts'
import type { Caller, RequestFacts } from '../../http/request-facts.ts'
import type { DiagnosisRules } from '../../telemetry/pains/diagnosis-rules.ts'
import type { SeenPain } from '../../telemetry/questions.ts'
import type { AskTelemetry } from '../../telemetry/read-pool.ts'
import { ruleNotFound, rulesFull } from './fingerprint-rules.contract.ts'
import type { KeptRule, RuleQueries } from './fingerprint-rules.queries.ts'

export interface RulesDeps {
  ask: AskTelemetry
  nowMs: () => number
  rules: Pick<DiagnosisRules, 'sinceMinutesDefault' | 'off'>
  audited: AuditedChange
  readPainView(projectNo: number): PainView
  /** The pain that an id is shown under. */
  findPain(projectNo: number, painId: string): { painId: string; signal: string } | null
  rememberPains(projectNo: number, seen: readonly SeenPain[]): void
  merge(queries: ControlQueries, projectNo: number, merge: MergedPain & { mergedAtMs: number; keyId: string | null }): void
  /** Where it is merged into that very pain. */
  unmerge(queries: ControlQueries, projectNo: number, merged: MergedPain): void
}

interface MergedPain {
  painId: string
  intoPainId: string
}

export type Owner = Pick<Caller, 'projectNo' | 'projectId' | 'keyId'>

/** Rules of one project, splits of pains among them. Every failure is compared with them. */
export const RULES_MAX = 100

/** A split that is to go. */
export interface SplitRemoval {
  owner: Owner
  rule: KeptRule
  request: RequestFacts
}

export interface RuleRequest {
  match: RuleMatch
  by: string[]
  name?: string | null
}

interface Options {
  dryRun: boolean
  request: RequestFacts
}

export function createAddRule(deps: RulesDeps, store: RuleQueries) {
  return async (owner: Owner, { match, by, name = null }: RuleRequest, { dryRun, request }: Options) => {
    const { projectNo, projectId, keyId } = owner
    const ruleId = opaqueId('rule_', projectId, ruleDigestText({ match, by }))
    const rules = store.list(projectNo)
    const known = rules.find((rule) => rule.ruleId === ruleId)
    const rule = known ?? { ruleId, name, match, by, painId: null, createdAtMs: deps.nowMs(), keyId }
    if (!known && rules.length >= RULES_MAX) fail(rulesFull, `a project may have ${RULES_MAX} rules: remove some`)
    if (dryRun) {
      const before = deps.readPainView(projectNo).rules
      return describeEffect(deps, owner, { ...before, rules: known ? before.rules : [...before.rules, rule] })
    }
    if (!known) deps.audited(request, (queries) => store.add(queries, projectNo, rule))
    return showRule(rule)
  }
}

export function createRemoveRule(deps: RulesDeps & { removeSplit(removal: SplitRemoval): Promise<void> }, store: RuleQueries) {
  return async (owner: Owner, ruleId: string, { dryRun, request }: Options) => {
    const { projectNo } = owner
    const known = store.list(projectNo).find((rule) => rule.ruleId === ruleId)
    const rule = known ?? fail(ruleNotFound, 'this project has no rule with this id')
    if (dryRun) return describeEffect(deps, owner, without(deps.readPainView(projectNo).rules, ruleId))
    if (rule.painId !== null) await deps.removeSplit({ owner, rule, request })
    else deps.audited(request, (queries) => store.remove(queries, projectNo, ruleId))
    return { rule_id: ruleId, removed: true as const }
  }
}

function without({ rules, splits }: ProjectRules, ruleId: string): ProjectRules {
  return {
    rules: rules.filter((rule) => rule.ruleId !== ruleId),
    splits: Object.fromEntries(Object.entries(splits).filter(([, split]) => split.ruleId !== ruleId)),
  }
}

/** What rules would make of the failures of the default window. */
async function describeEffect({ ask, nowMs, rules: settings, readPainView }: RulesDeps, owner: Owner, rules: ProjectRules) {
  const { projectNo, projectId } = owner
  const window = windowOfLast(settings.sinceMinutesDefault, nowMs())
  const view = readPainView(projectNo)
  const answer = await ask('regrouping', { projectNo, projectId, window, off: settings.off, view, rules })
  const { splits, merges, renames, summary } = describeRegrouping(answer.moves)
  const countOf = (isPart: (move: { from: string; to: string }) => boolean) =>
    answer.moves.filter(isPart).reduce((sum, { count }) => sum + count, 0)
  const show = (key: string, count: number) => {
    const { painId, title, by } = answer.pains[key]!
    return { pain_id: painId, title, count, by }
  }
  return {
    dry_run: true as const,
    summary,
    window: showWindow(window),
    failures: answer.failures,
    looked_at: answer.lookedAt,
    regrouped: countOf(({ from, to }) => from !== to),
    splits: splits.map(({ from, into }) => ({
      pain: show(
        from,
        countOf((move) => move.from === from),
      ),
      into: into.map(({ key, count }) => show(key, count)),
    })),
    merges: merges.map(({ into, from }) => ({
      into: show(
        into,
        countOf((move) => move.to === into),
      ),
      pains: from.map(({ key, count }) => show(key, count)),
    })),
    renames: renames.map(({ from, to, count }) => ({ pain: show(from, count), into: show(to, count) })),
  }
}

export function showRule({ ruleId, name, match, by, painId, createdAtMs, keyId }: KeptRule) {
  return {
    rule_id: ruleId,
    name,
    match: { ...match },
    by: [...by],
    pain_id: painId,
    created_at: msToIso(createdAtMs),
    created_by: keyId,
  }
}
