import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { controlMigrations } from '@loopkit/shared/database/control/migrations'
import { migrate } from '@loopkit/shared/database/migrate'
import { openDatabase, type SqliteDatabase } from '@loopkit/shared/database/open'
import { NO_RULES } from '@loopkit/shared/signals/fingerprint-rules'
import { createProjectRules, type ProjectRulesReader } from './project-rules.ts'

let folder: string
let path: string
let control: SqliteDatabase
let reader: ProjectRulesReader

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'loopkit-rules-'))
  path = join(folder, 'control.db')
  control = openDatabase(path, { role: 'writer' })
  reader = createProjectRules(path)
})
afterEach(() => {
  reader.close()
  control.close()
  rmSync(folder, { recursive: true })
})

const addRule = (ruleId: string, { projectNo = 1, painId = null as string | null, by = ['tenant'] } = {}) =>
  control
    .prepare(
      'insert into fingerprint_rule (rule_id, project_no, pain_id, matches, grouped_by, created_at_ms) values (?, ?, ?, ?, ?, 5)',
    )
    .run(ruleId, projectNo, painId, '{"service":"shop"}', JSON.stringify(by))
const addPain = (painId: string, fingerprint: string) =>
  control.prepare("insert into pain values (?, 1, ?, 't', 's', 's', 'o', 1, 1)").run(painId, Buffer.from(fingerprint, 'hex'))

test('a project has the rules that control.db holds, in their order, from the next look on', () => {
  migrate(control, controlMigrations)
  expect(reader.find(1)).toEqual(NO_RULES)
  addRule('rule_b')
  addRule('rule_a')
  addRule('rule_c', { projectNo: 2 })
  expect(reader.find(1)!.rules.map(({ ruleId }) => ruleId)).toEqual(['rule_b', 'rule_a'])
  const again = reader.find(1)
  expect(reader.find(1)).toBe(again)
  control.prepare("delete from fingerprint_rule where rule_id = 'rule_b'").run()
  expect(reader.find(1)!.rules.map(({ ruleId }) => ruleId)).toEqual(['rule_a'])
})

test('the split of a pain is also that of what was merged into it, however many steps away', () => {
  migrate(control, controlMigrations)
  addPain('pain_a', 'aa')
  addPain('pain_b', 'bb')
  addPain('pain_c', 'cc')
  control.prepare("insert into pain_merge values ('pain_b', 1, 'pain_a', 1, null), ('pain_c', 1, 'pain_b', 1, null)").run()
  addRule('rule_s', { painId: 'pain_a' })
  const split = { ruleId: 'rule_s', fingerprint: 'aa', attribute: 'tenant', createdAtMs: 5 }
  expect(reader.find(1)).toEqual({ rules: [], splits: { aa: split, bb: split, cc: split } })
})

test('a control.db from before there were rules has none', () => {
  migrate(control, controlMigrations.slice(0, 1))
  expect(reader.find(1)).toEqual(NO_RULES)
})

test('while control.db cannot be read what was known holds, and what was not is not guessed', () => {
  migrate(control, controlMigrations)
  addRule('rule_a')
  const known = reader.find(1)
  control.exec('alter table fingerprint_rule rename column matches to something_else')
  expect(reader.find(1)).toEqual(known)
  expect(reader.find(2)).toBeUndefined()
  control.exec('alter table fingerprint_rule rename column something_else to matches')
  expect(reader.find(2)).toEqual(NO_RULES)
})
