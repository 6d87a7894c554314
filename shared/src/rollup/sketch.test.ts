import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { EXEMPLARS_MAX, type Exemplar, joinExemplars, packExemplars, unpackExemplars } from './exemplars.ts'
import { binOf, createSketch, valueOfBin } from './sketch.ts'
import { packDeltas, unpackDeltas } from './sketch-delta.ts'

const values = fc.array(fc.integer({ min: 0, max: 10_000_000 }), { minLength: 1, maxLength: 200 })

test('a quantile is within 1 % of the value that lies there', () => {
  fc.assert(
    fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (all, share) => {
      const sketch = createSketch()
      for (const value of all) sketch.add(binOf(value), 1)
      const exact = all.toSorted((a, b) => a - b)[Math.floor(share * (all.length - 1))]!
      expect(Math.abs(valueOfBin(sketch.quantile(share)) - exact)).toBeLessThanOrEqual(0.0101 * exact)
    }),
  )
})

test('a sketch joined from parts in any order is the sketch of the whole, and what is taken back leaves no trace', () => {
  fc.assert(
    fc.property(values, values, fc.nat(), (kept, gone, seed) => {
      const whole = createSketch()
      for (const value of kept) whole.add(binOf(value), 1)
      const parts = [0, 1, 2].map(createSketch)
      const changes = [...kept, ...gone].map((value) => [value, 1] as const)
      for (const [at, [value]] of changes.entries()) parts[(at * 7 + seed) % 3]!.add(binOf(value), 1)
      for (const value of gone) parts[seed % 3]!.add(binOf(value), -1)
      const joined = createSketch()
      for (const part of parts.toReversed()) joined.join(part.toBytes())
      expect(joined.toBytes()).toEqual(whole.toBytes())
      expect(joined.total()).toBe(kept.length)
    }),
  )
})

test('how many lie above a value is exact to the bin', () => {
  const sketch = createSketch()
  for (const value of [100, 100, 200, 5000]) sketch.add(binOf(value), 1)
  expect([0, 100, 150, 200, 5000].map((value) => sketch.above(binOf(value)))).toEqual([4, 2, 2, 1, 0])
})

const exemplar = fc.record({
  value: fc.integer({ min: 0, max: 50 }),
  eventMs: fc.integer({ min: 0, max: 2 ** 50 }),
  traceId: fc.nat(40).map((n) => new Uint8Array(16).fill(n)),
  spanId: fc.nat(3).map((n) => new Uint8Array(8).fill(n)),
})

test('which spans stand for the largest values depends on neither order nor division', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(exemplar, { selector: ({ traceId, spanId }) => `${traceId} ${spanId}` }),
      fc.nat(),
      (all, seed) => {
        const divide = (n: number) => joinExemplars(all.filter((_, at) => (at + seed) % 3 === n))
        const joined = joinExemplars([2, 0, 1].flatMap((n) => unpackExemplars(packExemplars(divide(n)))))
        expect(joined).toEqual(joinExemplars(all))
        expect(joined.length).toBe(Math.min(EXEMPLARS_MAX, all.length))
      },
    ),
  )
})

test('of a span that is measured again the larger value stands', () => {
  const one: Exemplar = { value: 5, eventMs: 1, traceId: new Uint8Array(16), spanId: new Uint8Array(8) }
  expect(joinExemplars([one, { ...one, value: 9 }])).toEqual([{ ...one, value: 9 }])
})

test('what a commit adds is read back as it was', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          measure: fc.integer({ min: 1, max: 3 }),
          operationNo: fc.nat(),
          hour: fc.nat(),
          added: fc.uint16Array(),
          takenBack: fc.array(fc.nat(1200)),
          exemplars: fc.array(exemplar, { maxLength: 6 }),
        }),
      ),
      (deltas) => expect(unpackDeltas(packDeltas(deltas))).toEqual(deltas),
    ),
  )
})
