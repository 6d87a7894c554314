import { expect, test } from '@jest/globals'
import { type KnownProject, retentionTerms } from './retention-terms.ts'

const DAY_MS = 86_400_000
const NOW_MS = 1000 * DAY_MS
const project = (projectNo: number, more: Partial<KnownProject> = {}): KnownProject => ({
  projectNo,
  retentionDays: null,
  isDeleted: false,
  ...more,
})
const daysAgo = (ms: number) => (NOW_MS - ms) / DAY_MS

test("a project's own days win over the default, shorter and longer, and deleted ones keep nothing", () => {
  const known = [project(1), project(2, { retentionDays: 3 }), project(3, { retentionDays: 90 }), project(4, { isDeleted: true })]
  const terms = retentionTerms(known, 14, NOW_MS)
  expect(terms.projects.map(({ projectNo, recordsBeforeMs }) => [projectNo, daysAgo(recordsBeforeMs)])).toEqual([
    [1, 14],
    [2, 3],
    [3, 90],
  ])
  expect(terms.deleted).toEqual([4])
  expect(daysAgo(terms.rollupsBeforeMs)).toBe(180)
})

test('counts are never kept shorter than the records', () => {
  expect(daysAgo(retentionTerms([project(1, { retentionDays: 400 })], 14, NOW_MS).rollupsBeforeMs)).toBe(400)
})
