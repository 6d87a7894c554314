import { expect, test } from '@jest/globals'
import { isDiskFull, mayLayBallast, reserveBytes, type SpaceSeen, spaceLimits } from './space.rules.ts'

const MIB = 1024 ** 2

test.each([
  ['a large disk holds what the setting says', 100_000 * MIB, 64 * MIB, 64 * MIB, 16 * MIB],
  ['a tiny disk holds a sixteenth', 32 * MIB, 64 * MIB, 2 * MIB, MIB / 2],
  ['without a ballast there still is a floor', 32 * MIB, 0, 0, MIB / 2],
])('%s', (_, diskBytes, settingBytes, ballastBytes, floorBytes) => {
  expect(spaceLimits(diskBytes, settingBytes)).toEqual({ ballastBytes, floorBytes })
})

const limits = { ballastBytes: 64, floorBytes: 16 }
const seen = (more: Partial<SpaceSeen>): SpaceSeen => ({
  ...{ freeBytes: 1000, hasBallast: true, hasFailed: false, reserveLackBytes: 0 },
  ...more,
})

test.each<[string, boolean, SpaceSeen, boolean]>([
  ['with space there is space', false, seen({}), false],
  ['a failed write fills the disk, whatever is free', false, seen({ hasFailed: true }), true],
  ['below the floor it is full before a write fails', false, seen({ freeBytes: 15 }), true],
  ['at the floor it is not', false, seen({ freeBytes: 16 }), false],
  ['what the ballast freed is not enough to go on', true, seen({ freeBytes: 90, hasBallast: false }), true],
  ['with room for the ballast and more it goes on', true, seen({ freeBytes: 96, hasBallast: false }), false],
  ['room for the log must be left', false, seen({ freeBytes: 40, reserveLackBytes: 30 }), true],
  ['and be there before it goes on', true, seen({ freeBytes: 96, hasBallast: false, reserveLackBytes: 30 }), true],
])('%s', (_, wasFull, now, expected) => {
  expect(isDiskFull(wasFull, limits, now)).toBe(expected)
})

test.each([
  ['a short log fits where the ballast lies', 64 * MIB, 32 * MIB, 0],
  ['a longer one has a reserve of its own, in steps', 64 * MIB, 33 * MIB, 8 * MIB],
  ['which grows with it', 64 * MIB, 100 * MIB, 72 * MIB],
  ['and is bounded', 64 * MIB, 1000 * MIB, 256 * MIB],
  ['on a small disk the steps are small', 2 * MIB, 3.5 * MIB, 4 * MIB],
  ['without a ballast nothing is held', 0, 100 * MIB, 0],
])('%s', (_, ballastBytes, pendingBytes, expected) => {
  expect(reserveBytes({ ballastBytes, floorBytes: 0 }, pendingBytes)).toBe(expected)
})

test('the ballast is laid only where it fits', () => {
  expect(mayLayBallast(limits, seen({ freeBytes: 96 }))).toBe(true)
  expect(mayLayBallast(limits, seen({ freeBytes: 95 }))).toBe(false)
  expect(mayLayBallast({ ballastBytes: 0, floorBytes: 0 }, seen({}))).toBe(false)
})
