import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { coverWindow } from './cover-window.ts'
import { createDistinctCount, hashText } from './distinct-count.ts'
import { createMinuteHistogram } from './minute-histogram.ts'
import { createPainRollup, type RolledFailure } from './pain-rollup.ts'
import { packVarints, unpackVarints } from './varints.ts'

test('numbers up to the largest safe one come back', () => {
  fc.assert(fc.property(fc.array(fc.maxSafeNat()), (values) => expect(unpackVarints(packVarints(values))).toEqual(values)))
})

test.each([0, 1, 256])('%i different things are counted exactly', (n) => {
  const count = createDistinctCount()
  for (let round = 0; round < 3; round++) for (let i = 0; i < n; i++) count.add(hashText(`user ${i}`))
  expect(count.count()).toBe(n)
})

test.each([257, 300, 2_000, 50_000, 1_000_000])('%i different things are estimated within 15 %', (n) => {
  const count = createDistinctCount()
  for (let i = 0; i < n; i++) count.add(hashText(`user ${i}`))
  expect(Math.abs(count.count() / n - 1)).toBeLessThan(0.15)
})

const failure: fc.Arbitrary<RolledFailure> = fc.record({
  failureNo: fc.nat(1e9),
  traceId: fc.uint8Array({ minLength: 16, maxLength: 16 }),
  traceBits: fc.nat(0xffffffff),
  sessionNo: fc.nat(3),
  releaseNo: fc.nat(3),
  serviceListNo: fc.nat(3),
  eventMs: fc.nat(1e4),
  hasEnded: fc.boolean(),
  userBits: fc.option(fc.nat(5)),
})

test('failures in any order and division make the same row', () => {
  const whole = (failures: readonly RolledFailure[]) => {
    const rollup = createPainRollup()
    for (const one of failures) rollup.add(one)
    return rollup.toRow()
  }
  const distinct = fc.uniqueArray(failure, { selector: ({ failureNo }) => failureNo, minLength: 1, maxLength: 200 })
  fc.assert(
    fc.property(distinct, fc.nat(), (failures, seed) => {
      const shuffled = failures.toSorted((a, b) => ((a.failureNo * 31 + seed) % 97) - ((b.failureNo * 31 + seed) % 97))
      const cut = seed % failures.length
      const joined = createPainRollup()
      for (const part of [shuffled.slice(cut), shuffled.slice(0, cut)]) if (part.length > 0) joined.join(whole(part))
      expect(joined.toRow()).toEqual(whole(failures))
    }),
  )
})

const counts = fc.array(fc.tuple(fc.nat(30_000_000), fc.integer({ min: -5, max: 1000 })), { minLength: 1, maxLength: 60 })

test('a histogram is the same whatever it was joined from, keeps the sum, and has at most 16 bars', () => {
  const whole = (entries: readonly [number, number][]) => {
    const histogram = createMinuteHistogram()
    for (const [minute, count] of entries) histogram.add(minute, count)
    return histogram
  }
  fc.assert(
    fc.property(counts, fc.nat(), (entries, seed) => {
      const cut = seed % entries.length
      const joined = createMinuteHistogram()
      joined.join(whole(entries.slice(cut)).toBytes())
      joined.join(whole(entries.slice(0, cut)).toBytes())
      expect(joined.toBytes()).toEqual(whole(entries).toBytes())
      expect(joined.bars().length).toBeLessThanOrEqual(16)
      const sum = (all: readonly [number, number][]) => all.reduce((total, [, count]) => total + count, 0)
      expect(sum(joined.bars())).toBe(sum(entries))
    }),
  )
})

test('a window is covered once, and only by what lies in it or is still growing at its end', () => {
  fc.assert(
    fc.property(fc.nat(5_000), fc.nat(5_000), fc.nat(10_000), (from, length, rolledTo) => {
      const to = from + length
      const seen = new Map<number, number>()
      const { wide, minutes } = coverWindow(from, to, rolledTo)
      const note = (minute: number) => seen.set(minute, (seen.get(minute) ?? 0) + 1)
      for (const { minutes: width, from: first, to: last } of wide)
        for (let at = first * width; at < Math.min(last * width, rolledTo); at++) note(at)
      for (const [first, last] of minutes) for (let at = first; at < last; at++) note(at)
      expect(seen.size).toBe(length)
      expect([...seen].every(([minute, times]) => minute >= from && minute < to && times === 1)).toBe(true)
    }),
  )
})
