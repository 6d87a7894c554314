import { expect, test } from '@jest/globals'
import { isDiskFull, mayLayBallast, type SpaceSeen, spaceLimits } from './space.rules.ts'

const MIB = 1024 ** 2

test.each([
  ['a large disk holds what the setting says', 100_000 * MIB, 64 * MIB, 64 * MIB, 16 * MIB],
  ['a tiny disk holds a sixteenth', 32 * MIB, 64 * MIB, 2 * MIB, MIB / 2],
  ['without a ballast there still is a floor', 32 * MIB, 0, 0, MIB / 2],
])('%s', (_, diskBytes, settingBytes, ballastBytes, floorBytes) => {
  expect(spaceLimits(diskBytes, settingBytes)).toEqual({ ballastBytes, floorBytes })
})

const limits = { ballastBytes: 64, floorBytes: 16 }
const seen = (more: Partial<SpaceSeen>): SpaceSeen => ({ freeBytes: 1000, hasBallast: true, hasFailed: false, ...more })

test.each<[string, boolean, SpaceSeen, boolean]>([
  ['with space there is space', false, seen({}), false],
  ['a failed write fills the disk, whatever is free', false, seen({ hasFailed: true }), true],
  ['below the floor it is full before a write fails', false, seen({ freeBytes: 15 }), true],
  ['at the floor it is not', false, seen({ freeBytes: 16 }), false],
  ['what the ballast freed is not enough to go on', true, seen({ freeBytes: 90, hasBallast: false }), true],
  ['with room for the ballast and more it goes on', true, seen({ freeBytes: 96, hasBallast: false }), false],
])('%s', (_, wasFull, now, expected) => {
  expect(isDiskFull(wasFull, limits, now)).toBe(expected)
})

test('the ballast is laid only where it fits', () => {
  expect(mayLayBallast(limits, seen({ freeBytes: 96 }))).toBe(true)
  expect(mayLayBallast(limits, seen({ freeBytes: 95 }))).toBe(false)
  expect(mayLayBallast({ ballastBytes: 0, floorBytes: 0 }, seen({}))).toBe(false)
})
