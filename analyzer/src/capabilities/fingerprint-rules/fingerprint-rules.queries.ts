import type { FingerprintRule, RuleMatch } from '@loopkit/shared/signals/fingerprint-rules'
import type { Selectable } from 'kysely'
import type { Control, ControlQueries } from '../../control/control-database.ts'
import type { FingerprintRuleTable } from '../../control/tables.ts'

/** A rule as it is kept. */
export interface KeptRule extends FingerprintRule {
  /** The pain it splits; null for a rule that matches by what failures are. */
  painId: string | null
  createdAtMs: number
  keyId: string | null
}

function toKept(row: Selectable<FingerprintRuleTable>): KeptRule {
  return {
    ruleId: row.rule_id,
    name: row.name,
    match: JSON.parse(row.matches) as RuleMatch,
    by: JSON.parse(row.grouped_by) as string[],
    painId: row.pain_id,
    createdAtMs: row.created_at_ms,
    keyId: row.key_id,
  }
}

/** The table of rules; nothing else writes it. The collector reads it. */
export function createRuleQueries({ db, all }: Control) {
  return {
    /** In the order in which they are asked. */
    list: (projectNo: number): KeptRule[] =>
      all(db.selectFrom('fingerprint_rule').selectAll().where('project_no', '=', projectNo).orderBy('rule_no')).map(toKept),

    add: ({ run }: ControlQueries, projectNo: number, rule: KeptRule): void =>
      void run(
        db.insertInto('fingerprint_rule').values({
          rule_id: rule.ruleId,
          project_no: projectNo,
          name: rule.name,
          pain_id: rule.painId,
          matches: JSON.stringify(rule.match),
          grouped_by: JSON.stringify(rule.by),
          created_at_ms: rule.createdAtMs,
          key_id: rule.keyId,
        }),
      ),

    remove: ({ run }: ControlQueries, projectNo: number, ruleId: string): void =>
      void run(db.deleteFrom('fingerprint_rule').where('rule_id', '=', ruleId).where('project_no', '=', projectNo)),
  }
}

export type RuleQueries = ReturnType<typeof createRuleQueries>
