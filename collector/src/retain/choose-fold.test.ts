import { expect, test } from '@jest/globals'
import { chooseFold } from './choose-fold.ts'

const ones = (count: number) => Array.from({ length: count }, () => 1)

test.each([
  ['none', [], null],
  ['fewer than sixteen small ones wait', ones(15), null],
  ['sixteen small ones are joined', ones(16), { from: 0, to: 16 }],
  ['many small ones all at once', ones(300), { from: 0, to: 256 }],
  ['small ones behind larger ones', [16, 16, ...ones(16)], { from: 2, to: 18 }],
  ['sixteen larger ones', Array(16).fill(16), { from: 0, to: 16 }],
  ['larger ones that fill a run before they are sixteen', [60, 70, 80], { from: 0, to: 3 }],
  ['no more than a run holds', [100, 100, 100], { from: 0, to: 2 }],
  ['a full one stays, and what is between full ones too', [256, 1, 1, 200, 128], null],
  ['neighbours of different size wait', [16, 1, 16, 1, 16], null],
])('%s', (_name, members, expected) => {
  expect(chooseFold(members)).toEqual(expected)
})

test('an entry is written a few times only, however many members come', () => {
  const runs: { members: number; writes: number[] }[] = []
  const writes: number[] = []
  for (let n = 0; n < 5000; n++) {
    writes.push(1)
    runs.push({ members: 1, writes: [n] })
    const choice = chooseFold(runs.map(({ members }) => members))
    if (!choice) continue
    const joined = runs.splice(choice.from, choice.to - choice.from)
    const all = joined.flatMap((run) => run.writes)
    for (const member of all) writes[member]!++
    runs.splice(choice.from, 0, { members: all.length, writes: all })
  }
  expect(Math.max(...writes)).toBeLessThanOrEqual(3)
  expect(runs.length).toBeLessThan(5000 / 256 + 32)
})
