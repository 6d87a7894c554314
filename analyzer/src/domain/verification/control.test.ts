import { describe, expect, test } from '@jest/globals'
import { chooseControl, compareBy } from './control.ts'

const stretch = (from: number, count: number, runs: number, failures: number) =>
  Array.from({ length: count }, (_, at) => ({ minute: from + at, runs, failures, failuresSquared: failures }))
const rateOf = ({ failures, runs }: { failures: number; runs: number }) => failures / runs

describe('what a change is compared with', () => {
  test.each([
    ['all of before, where its rate was one', stretch(0, 40, 50, 5), stretch(40, 20, 50, 0), null],
    [
      'the stretch since the rate rose',
      [...stretch(0, 20, 50, 0), ...stretch(20, 20, 50, 8)],
      stretch(40, 20, 50, 0),
      'latest_stretch',
    ],
    ['the old version beside the new one', stretch(0, 60, 50, 5), stretch(40, 20, 5, 0), 'same_time'],
    ['all of before, where the old version ran on for a moment only', stretch(0, 44, 50, 5), stretch(40, 30, 50, 0), null],
    [
      'all of before, where next to nothing of the old version is left',
      [...stretch(0, 40, 50, 5), ...stretch(40, 20, 1, 0)],
      stretch(40, 20, 50, 0),
      null,
    ],
    ['all of before, where nothing came after', stretch(0, 40, 50, 5), [], null],
  ])('is %s', (_, before, after, kind) => expect(chooseControl(before, after)?.kind ?? null).toBe(kind))

  test('never what the old version did once it was back', () => {
    const before = [...stretch(0, 20, 50, 5), ...stretch(60, 20, 50, 20)]
    expect(chooseControl(before, stretch(20, 40, 50, 0))).toBeNull()
  })
})

test('two versions side by side are compared as if they had run at the same times', () => {
  // Both fail at the same rate in either half; the new one ran mostly in the bad one.
  const before = [...stretch(0, 20, 90, 0), ...stretch(20, 20, 20, 5)]
  const after = [...stretch(0, 20, 10, 0), ...stretch(20, 20, 80, 20)]
  const control = chooseControl(before, after)!
  const compared = compareBy(control, { before, after })
  expect(control.kind).toBe('same_time')
  // All of both: 4.9. A stretch of time that holds the turn keeps it from being 1.
  expect(Math.abs(rateOf(compared.after) / rateOf(compared.before) - 1)).toBeLessThan(0.2)
  expect([compared.before.failures, compared.after.failures]).toEqual([100, 400])
})
