import { expect, test } from '@jest/globals'
import { capFingerprints } from './cap-fingerprints.ts'
import type { PainFacts } from './pain-facts.ts'

const pain = (fingerprint: string, decided: number, parentKey = 'p') =>
  ({ fingerprint, parentKey, decided, provisional: 0 }) as PainFacts

test.each([
  ['no more than are shown', [pain('a', 1), pain('b', 9)], ['a', 'b'], []],
  ['the largest stay, in the order they came', [pain('a', 1), pain('b', 9), pain('c', 5)], ['b', 'c'], ['a']],
  ['ties go by fingerprint', [pain('c', 1), pain('b', 1), pain('a', 1)], ['b', 'a'], ['c']],
  ['each place has its own', [pain('a', 1), pain('b', 2), pain('c', 1, 'q')], ['a', 'b', 'c'], []],
])('%s', (_, pains, shown, overflow) => {
  const capped = capFingerprints(pains, 2)
  expect(capped.shown.map(({ fingerprint }) => fingerprint)).toEqual(shown)
  expect(capped.overflow.map(({ fingerprint }) => fingerprint)).toEqual(overflow)
})
