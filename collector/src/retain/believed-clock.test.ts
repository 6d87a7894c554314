import { expect, test } from '@jest/globals'
import { createBelievedClock } from './believed-clock.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
const YEARS_MS = 1_000 * DAY_MS

/** Looks at these hours of monotonic time, with the wall clock so far ahead of them; answers what is believed, as hours ahead. */
function lookAt(looks: readonly (readonly [hour: number, aheadMs: number])[]) {
  let [monotonicMs, aheadMs] = [0, 0]
  const told: string[] = []
  const clock = createBelievedClock({ nowMs: () => monotonicMs + aheadMs, monotonicMs: () => monotonicMs }, (state) =>
    told.push(state),
  )
  const believed = looks.map((look) => {
    monotonicMs = look[0] * HOUR_MS
    aheadMs = look[1]
    return (clock.nowMs() - monotonicMs) / HOUR_MS
  })
  return { believed, told }
}

test.each<[string, Parameters<typeof lookAt>[0], number[], string[]]>([
  [
    'time that passes',
    [
      [1, 0],
      [2, 0],
      [500, 0],
    ],
    [0, 0, 0],
    [],
  ],
  [
    'steps of hours, both ways',
    [
      [1, 3 * HOUR_MS],
      [2, -HOUR_MS],
      [3, 0],
    ],
    [3, -1, 0],
    [],
  ],
  [
    'a jump is not believed at once',
    [
      [1, YEARS_MS],
      [1.5, YEARS_MS],
      [1.9, YEARS_MS],
    ],
    [0, 0, 0],
    ['seen'],
  ],
  [
    'a jump that is undone',
    [
      [1, YEARS_MS],
      [1.5, 0],
      [3, 0],
    ],
    [0, 0, 0],
    ['seen', 'undone'],
  ],
  [
    'a jump that stays',
    [
      [1, YEARS_MS],
      [2.1, YEARS_MS],
      [3, YEARS_MS],
    ],
    [0, 24_000, 24_000],
    ['seen', 'believed'],
  ],
  [
    'two jumps, one after the other',
    [
      [1, YEARS_MS],
      [2.1, YEARS_MS],
      [2.2, 2 * YEARS_MS],
    ],
    [0, 24_000, 24_000],
    ['seen', 'believed', 'seen'],
  ],
  [
    'far back',
    [
      [1, -YEARS_MS],
      [2, -YEARS_MS],
    ],
    [-24_000, -24_000],
    [],
  ],
])('%s', (_, looks, believed, told) => {
  expect(lookAt(looks)).toEqual({ believed: believed.map((hours) => expect.closeTo(hours, 5)), told })
})
