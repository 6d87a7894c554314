import { expect, test } from '@jest/globals'
import { nextLookAfter } from './settle.rules.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
const at = (nowMs: number, shippedAtMs = 0, frozenAtMs = 0) => nextLookAfter(nowMs, { shippedAtMs, frozenAtMs })

test.each([
  ['when it has shipped, where it has not yet', at(0, 5 * HOUR_MS), 5 * HOUR_MS + MINUTE_MS],
  ['after a minute, while it is young', at(MINUTE_MS), 2 * MINUTE_MS],
  ['after a twentieth of its age', at(10 * HOUR_MS), 10.5 * HOUR_MS],
  ['after an hour, when it is old', at(10 * DAY_MS), 10 * DAY_MS + HOUR_MS],
  ['by when it was told, where that was later', at(31 * DAY_MS, 0, 31 * DAY_MS), 31 * DAY_MS + MINUTE_MS],
  ['never again after thirty days', at(30 * DAY_MS), null],
])('a change is looked at again %s', (_, next, expected) => expect(next).toBe(expected))
