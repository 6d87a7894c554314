import type { Control } from '../../control/control-database.ts'
import { type Route, route } from '../../http/contract.ts'
import { fail } from '../../http/errors.ts'
import { addRule, listRules, removeRule, removeRuleByPath, ruleNotNamed, splitPain } from './fingerprint-rules.contract.ts'
import { createRuleQueries } from './fingerprint-rules.queries.ts'
import { createAddRule, createRemoveRule, type RulesDeps, showRule } from './fingerprint-rules.ts'
import { createSplit, removeSplit } from './split.ts'

/** A user's own grouping of failures. */
export function createFingerprintRulesCapability(deps: RulesDeps & { control: Control }): { routes: Route[] } {
  const store = createRuleQueries(deps.control)
  const add = createAddRule(deps, store)
  const remove = createRemoveRule({ ...deps, removeSplit: (removal) => removeSplit(deps, store, removal) }, store)
  const split = createSplit(deps, store)
  return {
    routes: [
      route(listRules, ({ caller }) => ({ items: store.list(caller.projectNo).map(showRule), next_cursor: null })),
      route(addRule, ({ caller, body, query, request }) => add(caller, body, { dryRun: query.dry_run ?? false, request })),
      route(removeRule, ({ caller, query, request }) => {
        const ruleId = query.rule_id ?? fail(ruleNotNamed, 'add ?rule_id=… as GET /v1/fingerprint-rules lists it')
        return remove(caller, ruleId, { dryRun: query.dry_run ?? false, request })
      }),
      route(removeRuleByPath, ({ caller, params, query, request }) =>
        remove(caller, params.rule_id, { dryRun: query.dry_run ?? false, request }),
      ),
      route(splitPain, ({ caller, params, body, request }) => split(caller, params.id, body, request)),
    ],
  }
}
