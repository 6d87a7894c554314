import { opaqueId } from '../../domain/opaque-id.ts'
import { fail } from '../../http/errors.ts'
import type { RequestFacts } from '../../http/request-facts.ts'
import { painNotFound, painNotSplit, painSplit, rulesFull } from './fingerprint-rules.contract.ts'
import type { KeptRule, RuleQueries } from './fingerprint-rules.queries.ts'
import { type Owner, RULES_MAX, type RulesDeps, type SplitRemoval, showRule } from './fingerprint-rules.ts'

/**
 * Splits a pain by a rule of its own. Undone, the parts that failures were decided under meanwhile are merged back into it, so that
 * it counts what it counted before.
 */
export function createSplit(deps: RulesDeps, store: RuleQueries) {
  return async (owner: Owner, painId: string, { attribute }: { attribute: string | null }, request: RequestFacts) => {
    const { projectNo } = owner
    const pain = deps.findPain(projectNo, painId) ?? fail(painNotFound, 'this project has no pain with this id')
    const rules = store.list(projectNo)
    const known = rules.find((rule) => rule.painId === pain.painId) ?? null
    const show = (rule: KeptRule | null) => ({
      pain_id: painId,
      merged_into: pain.painId === painId ? null : pain.painId,
      rule: rule && showRule(rule),
    })
    if (attribute === null) {
      if (known) await removeSplit(deps, store, { owner, rule: known, request })
      return show(null)
    }
    if (pain.signal === 'slow' || pain.signal === 'cost_outlier')
      fail(painNotSplit, 'its contrasts name what its runs have in common')
    if (known?.by[0] === attribute) return show(known)
    if (known) fail(painSplit, `it is split by ${known.by[0]}: undo that first with {"attribute": null}`)
    if (rules.length >= RULES_MAX) fail(rulesFull, `a project may have ${RULES_MAX} rules: remove some`)
    const rule = toRule(owner, { painId: pain.painId, attribute, nowMs: deps.nowMs() })
    const parts = await readParts(deps, owner, rule)
    deps.audited(request, (queries) => {
      store.add(queries, projectNo, rule)
      for (const part of parts) deps.unmerge(queries, projectNo, { painId: part.painId, intoPainId: pain.painId })
    })
    return show(rule)
  }
}

function toRule(
  { projectId, keyId }: Owner,
  { painId, attribute, nowMs }: { painId: string; attribute: string; nowMs: number },
): KeptRule {
  const ruleId = opaqueId('rule_', projectId, 'split', painId, attribute)
  return { ruleId, name: null, match: {}, by: [attribute], painId, createdAtMs: nowMs, keyId }
}

export async function removeSplit(deps: RulesDeps, store: RuleQueries, { owner, rule, request }: SplitRemoval): Promise<void> {
  const { projectNo, keyId } = owner
  const parts = await readParts(deps, owner, rule)
  deps.rememberPains(projectNo, parts)
  const into = { intoPainId: rule.painId!, mergedAtMs: deps.nowMs(), keyId }
  deps.audited(request, (queries) => {
    store.remove(queries, projectNo, rule.ruleId)
    for (const { painId } of parts) deps.merge(queries, projectNo, { painId, ...into })
  })
}

function readParts({ ask }: RulesDeps, { projectNo, projectId }: Owner, { ruleId }: KeptRule) {
  return ask('splitParts', { projectNo, projectId, ruleId })
}
