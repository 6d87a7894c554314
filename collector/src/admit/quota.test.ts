import { expect, test } from '@jest/globals'
import { createQuota } from './quota.ts'

test('spans on their way use quota, and give it back when their commit fails', () => {
  const quota = createQuota(new Map([[1, 8]]))
  expect([quota.reserve(1, 10), quota.reserve(1, 10), quota.reserve(1, 10)]).toEqual([true, true, false])
  quota.release(1, 1)
  expect(quota.reserve(1, 10)).toBe(true)
  quota.confirm(1, 2)
  expect(quota.reserve(1, 10)).toBe(false)
  expect(quota.reserve(1, 11)).toBe(true)
})

test('a project without a cap is never full, and one project never uses another’s quota', () => {
  const quota = createQuota(new Map())
  expect(quota.reserve(1, null)).toBe(true)
  expect(quota.reserve(2, 1)).toBe(true)
  expect(quota.reserve(2, 1)).toBe(false)
})
