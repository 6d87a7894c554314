import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from '@jest/globals'
import { conformanceMarkdown } from './conformance-markdown.ts'
import { type Row, RULE_IDS } from './rule-ids.ts'

const folder = import.meta.dirname
const filesThatEnd = (end: string) => readdirSync(folder).filter((name) => name.endsWith(end))

interface Table {
  file: string
  name: string
  rows: Row<unknown>[]
}
let tables: Table[]

beforeAll(async () => {
  const modules = await Promise.all(
    filesThatEnd('.rows.ts').map(async (file) => ({ file, module: (await import(`./${file}`)) as object })),
  )
  tables = modules.flatMap(({ file, module }) =>
    Object.entries(module)
      .filter(([, value]) => Array.isArray(value))
      .map(([name, rows]) => ({ file, name, rows: rows as Row<unknown>[] })),
  )
})

test('every file of rows is a table', () => {
  expect(new Set(tables.map(({ file }) => file))).toEqual(new Set(filesThatEnd('.rows.ts')))
})

test('every rule and every fault has a row', () => {
  const proven = new Set(tables.flatMap(({ rows }) => rows.flatMap(({ ids }) => ids)))
  expect(RULE_IDS.filter((id) => !proven.has(id))).toEqual([])
})

test('no row names a rule that does not exist, and none names nothing', () => {
  const known = new Set<string>(RULE_IDS)
  const rows = tables.flatMap((table) => table.rows)
  expect(rows.flatMap(({ ids }) => ids.filter((id) => !known.has(id)))).toEqual([])
  expect(rows.filter(({ ids }) => ids.length === 0)).toEqual([])
})

test('every table is run by exactly one test, whole', () => {
  const tests = filesThatEnd('.test.ts').map((name) => readFileSync(join(folder, name), 'utf8'))
  const runs = (name: string) => tests.flatMap((text) => [...text.matchAll(new RegExp(`^testRows\\(${name}, `, 'gm'))]).length
  expect(tables.filter(({ name }) => runs(name) !== 1).map(({ name }) => name)).toEqual([])
})

test('no two rows promise the same', () => {
  const titles = tables.flatMap(({ file, rows }) => rows.map(({ ids, name }) => `${file} ${ids.join(' ')} ${name}`))
  expect(titles.filter((title, at) => titles.indexOf(title) !== at)).toEqual([])
})

test('docs/generated/conformance.md says what the rows say', () => {
  const path = 'docs/generated/conformance.md'
  const text = conformanceMarkdown(tables.flatMap(({ rows }) => rows))
  // As for snapshots: jest with -u writes the file anew.
  if (process.argv.includes('-u') || process.argv.includes('--updateSnapshot')) writeFileSync(path, text)
  expect(readFileSync(path, 'utf8')).toBe(text)
})
