import { expect, test } from '@jest/globals'
import { describeRegrouping, type Move } from './regrouping.ts'

const moves = (text: string): Move[] =>
  text
    .split(' ')
    .filter((move) => move !== '')
    .map((move) => ({ from: move[0]!, to: move[1]!, count: Number(move.slice(2)) }))

test.each([
  ['', 'would change no pain'],
  ['aa5 bb3', 'would change no pain'],
  ['ax5 ay2 az1', 'would split 1 pain into 3'],
  ['aa5 ax2', 'would split 1 pain into 2'],
  ['ax1 bx1', 'would merge 2 pains into 1'],
  ['ax1 bx1 cy1 dy1 ey1', 'would merge 5 pains into 2'],
  ['ax4 bb1', 'would give 1 pain a new id'],
  ['ax1 ay1 bx1', 'would split 1 pain into 2, merge 2 pains into 1'],
  ['aa1 bb1 cx1 dy1', 'would give 2 pains a new id'],
])('%s %s', (given, summary) => {
  expect(describeRegrouping(moves(given)).summary).toBe(summary)
})

test('parts are named with their counts, the largest first', () => {
  expect(describeRegrouping(moves('ax1 ay7 az7')).splits).toEqual([
    {
      from: 'a',
      into: [
        { key: 'y', count: 7 },
        { key: 'z', count: 7 },
        { key: 'x', count: 1 },
      ],
    },
  ])
})
