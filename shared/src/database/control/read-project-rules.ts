import { toHex } from '../../otlp/ids.ts'
import type { FingerprintRule, ProjectRules, RuleMatch, SplitRule } from '../../signals/fingerprint-rules.ts'
import type { SqliteDatabase } from '../open.ts'

interface RuleRow {
  rule_id: string
  name: string | null
  pain_id: string | null
  matches: string
  grouped_by: string
  created_at_ms: number
}

/** How a project groups failures; nothing where control.db is older than rules are. */
export function readProjectRules(control: SqliteDatabase, projectNo: number): ProjectRules {
  if (!hasRules(control)) return { rules: [], splits: {} }
  const rows = control
    .prepare(
      'select rule_id, name, pain_id, matches, grouped_by, created_at_ms from fingerprint_rule where project_no = ? order by rule_no',
    )
    .all(projectNo) as RuleRow[]
  const splits = rows.filter(({ pain_id }) => pain_id !== null).flatMap((row) => readSplit(control, projectNo, row))
  return { rules: rows.filter(({ pain_id }) => pain_id === null).map(toRule), splits: Object.fromEntries(splits) }
}

function hasRules(control: SqliteDatabase): boolean {
  const find = control.prepare("select 1 from sqlite_master where type = 'table' and name = 'fingerprint_rule'")
  return find.get() !== undefined
}

function toRule({ rule_id, name, matches, grouped_by, created_at_ms }: RuleRow): FingerprintRule {
  const said = { match: JSON.parse(matches) as RuleMatch, by: JSON.parse(grouped_by) as string[] }
  return { ruleId: rule_id, name, ...said, createdAtMs: created_at_ms }
}

/** The split of a pain is also that of what was merged into it. A pain that is merged away is split no more by its own rule. */
function readSplit(control: SqliteDatabase, projectNo: number, row: RuleRow): [string, SplitRule][] {
  const find = control.prepare(
    `with recursive member (pain_id) as (
       select @painId union select m.pain_id from pain_merge m join member on m.into_pain_id = member.pain_id where m.project_no = @projectNo)
     select p.pain_id, p.fingerprint from pain p join member using (pain_id) where p.project_no = @projectNo order by p.pain_id`,
  )
  const members = find.all({ painId: row.pain_id, projectNo }) as { pain_id: string; fingerprint: Uint8Array }[]
  const own = members.find(({ pain_id }) => pain_id === row.pain_id)
  if (!own) return []
  const [attribute] = JSON.parse(row.grouped_by) as [string]
  const split = { ruleId: row.rule_id, fingerprint: toHex(own.fingerprint), attribute, createdAtMs: row.created_at_ms }
  return members.map(({ fingerprint }) => [toHex(fingerprint), split])
}
