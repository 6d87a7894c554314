import { expect, test } from '@jest/globals'
import { createBloomFilter } from './bloom-filter.ts'
import { SeenSpans, spansPerBodyMax } from './seen-spans.ts'

const PLACES_LOG2 = 6
const CAPACITY = spansPerBodyMax(PLACES_LOG2)

function create() {
  const older = createBloomFilter()
  return { older, seen: new SeenSpans({ placesLog2: PLACES_LOG2, older }) }
}

test('a span is found with what was said of it, and is gone when its commit failed', () => {
  const { seen } = create()
  seen.makeRoom(2)
  const place = seen.insertPending(5, 6, 99, true, 3)
  seen.insertPending(5 + 64, 6, 1, false, 3)
  expect(seen.find(5, 6)).toBe(place)
  expect(seen.stateAt(place)).toEqual({ owner: 3, ended: true, content: 99 })
  seen.setState(place, { owner: 0, ended: true, content: 99 })
  expect(seen.stateAt(place).owner).toBe(0)
  seen.remove(place)
  expect(seen.find(5, 6)).toBe(-1)
  expect(seen.find(5 + 64, 6)).toBeGreaterThanOrEqual(0)
})

test('two generations are remembered; the traces of the one before go to the filter', () => {
  const { seen, older } = create()
  const fill = (from: number) => {
    for (let n = from; n < from + CAPACITY; n++) {
      seen.makeRoom(1)
      seen.insertPending(n, n, 0, true, 1)
      seen.noteTrace(n, n)
    }
  }
  fill(0)
  fill(1000)
  expect(seen.rotations).toBe(1)
  expect(seen.find(0, 0)).toBeGreaterThanOrEqual(0)
  fill(2000)
  expect(seen.rotations).toBe(2)
  expect(seen.find(0, 0)).toBe(-1)
  expect(older.mayHold(0, 0)).toBe(true)
  expect(seen.find(1000, 1000)).toBeGreaterThanOrEqual(0)
  expect(seen.find(2000, 2000)).toBeGreaterThanOrEqual(0)
})
