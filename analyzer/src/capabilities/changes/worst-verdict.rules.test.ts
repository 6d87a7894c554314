import { expect, test } from '@jest/globals'
import type { Verdict } from './verdict.rules.ts'
import { worstVerdict } from './worst-verdict.rules.ts'

test.each<[[Verdict, ...Verdict[]], number]>([
  [['held'], 0],
  [['held', 'held'], 0],
  [['held', 'refused'], 1],
  [['refused', 'unchanged', 'held'], 1],
  [['unchanged', 'worse', 'moved'], 1],
  [['worse', 'slipped'], 1],
])('of %j the one at %d stands worst', (verdicts, at) => {
  const said = verdicts.map((verdict) => ({ verdict, reason: null })) as [{ verdict: Verdict; reason: null }]
  expect(worstVerdict(said)).toBe(said[at])
})
