import { describe, expect, test } from '@jest/globals'
import { createSideOf, type SeenVersion } from './side-of.ts'

const MINUTE_MS = 60_000
const SHIPPED = 100
const version = (releaseNo: number, release: string, began: number, firstSeen = began): SeenVersion => ({
  releaseNo,
  release,
  beganMs: began * MINUTE_MS,
  firstSeenMs: firstSeen * MINUTE_MS,
})
const at = (shippedMinute: number, named: string | null) => ({ version: named, shippedAtMs: shippedMinute * MINUTE_MS + 5 })
const NONE = 0

describe('a record stands to a change', () => {
  test.each([
    ['by time where the change names no version', at(SHIPPED, null), [], [99, 7], 'before'],
    ['on neither side in its minute', at(SHIPPED, null), [], [100, 7], 'neither'],
    ['by time afterwards', at(SHIPPED, null), [], [101, 7], 'after'],
    ['by its version, though it came later', at(SHIPPED, '2'), [version(1, '1', 0), version(2, '2', 100)], [150, 1], 'before'],
    [
      'by its version, a canary before the change was told',
      at(SHIPPED, '2'),
      [version(1, '1', 0), version(2, '2', 80)],
      [85, 2],
      'after',
    ],
    ['by time where it carries no version', at(SHIPPED, '2'), [version(1, '1', 0), version(2, '2', 100)], [150, NONE], 'after'],
    [
      'after, by a successor',
      at(SHIPPED, '2'),
      [version(1, '1', 0), version(2, '2', 100), version(3, '3', 200)],
      [210, 3],
      'after',
    ],
    [
      'before, by an old version that was backfilled',
      at(SHIPPED, '2'),
      [version(2, '2', 100), version(1, '1', 20, 300)],
      [30, 1],
      'before',
    ],
    [
      'after, by a successor that was sent first',
      at(SHIPPED, '2'),
      [version(3, '3', 200, 1000), version(2, '2', 100, 1010), version(1, '1', 0, 1020)],
      [210, 3],
      'after',
    ],
    [
      'before, by an old version that was sent last',
      at(SHIPPED, '2'),
      [version(3, '3', 200, 1000), version(2, '2', 100, 1010), version(1, '1', 0, 1020)],
      [30, 1],
      'before',
    ],
    [
      'before, by a lower number that came with it, whenever it ran',
      at(SHIPPED, '1.10'),
      [version(1, '1.9', 150, 1000), version(2, '1.10', 50, 1000)],
      [160, 1],
      'before',
    ],
    [
      'after, by a name without order that began later and came with it',
      at(SHIPPED, 'c0ffee'),
      [version(1, 'deadbeef', 150, 1000), version(2, 'c0ffee', 50, 1000)],
      [160, 1],
      'after',
    ],
    [
      'before, by an old version, where one of the new has a clock that is days behind',
      at(SHIPPED, '2'),
      [version(1, '1', 0), version(2, '2', -9000, 100)],
      [90, 1],
      'before',
    ],
    ['before, where the version was never seen', at(SHIPPED, '9'), [version(1, '1', 0)], [150, 1], 'before'],
  ] as [string, ReturnType<typeof at>, SeenVersion[], [number, number], string][])(
    '%s',
    (_, change, versions, [eventMinute, releaseNo], side) =>
      expect(createSideOf(change, versions)({ eventMinute, releaseNo })).toBe(side),
  )

  const rolledBack = [version(1, '1', 0), version(2, '2', 50), version(3, '3', 150)]
  test.each([
    ['what was rolled back', [90, 2], 'before'],
    ['a straggler of it', [120, 2], 'before'],
    ['the old version, since it came back', [120, 1], 'after'],
    ['the old version, when it was there first', [20, 1], 'neither'],
    ['a later successor', [160, 3], 'after'],
    ['a record without a version', [90, NONE], 'before'],
  ] as [string, [number, number], string][])('that rolls back: %s', (_, [eventMinute, releaseNo], side) =>
    expect(createSideOf(at(SHIPPED, '1'), rolledBack)({ eventMinute, releaseNo })).toBe(side),
  )
})
