import { expect, test } from '@jest/globals'
import { differ, type FailureRow } from './failure-difference.ts'

const row = (change: Partial<FailureRow> = {}): FailureRow => ({
  spanId: 1n,
  fingerprintNo: 10,
  sessionNo: 1,
  releaseNo: 0,
  eventMs: 120_000,
  weight: 2,
  services: '[]',
  endedTrace: false,
  ...change,
})
const stored = (change: Partial<FailureRow> = {}, failureNo = 1) => ({ ...row(change), failureNo, decidedMs: 0 })

test('a first judgement adds and counts every failure', () => {
  const { removed, added, counts } = differ([], [row(), row({ spanId: 2n })])
  expect(removed).toEqual([])
  expect(added).toHaveLength(2)
  expect(counts).toEqual([{ fingerprintNo: 10, releaseNo: 0, eventMinute: 2, failures: 2, weight: 4, weightSquared: 8 }])
})

test('the same judgement again writes nothing', () => {
  expect(differ([stored()], [row()])).toEqual({ removed: [], added: [], counts: [] })
})

test('a failure that turned out to be another’s consequence is taken back where it was counted', () => {
  const { removed, added, counts } = differ([stored()], [row({ spanId: 2n, fingerprintNo: 11, eventMs: 0 })])
  expect(removed.map(({ failureNo }) => failureNo)).toEqual([1])
  expect(added.map(({ spanId }) => spanId)).toEqual([2n])
  expect(counts).toEqual([
    { fingerprintNo: 10, releaseNo: 0, eventMinute: 2, failures: -1, weight: -2, weightSquared: -4 },
    { fingerprintNo: 11, releaseNo: 0, eventMinute: 0, failures: 1, weight: 2, weightSquared: 4 },
  ])
})

test.each([
  ['whose session changed', { sessionNo: 5 }],
  ['whose error turned out to end its trace', { endedTrace: true }],
])('a failure %s is written anew but counted once', (_, change) => {
  const { removed, added, counts } = differ([stored()], [row(change)])
  expect([removed.length, added.length, counts]).toEqual([1, 1, []])
})
