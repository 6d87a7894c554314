import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { createSketch } from '@loopkit/shared/rollup/sketch'
import { packDeltas, type SketchDelta } from '@loopkit/shared/rollup/sketch-delta'
import { createSketchRollUp } from './roll-up-sketches.ts'
import { createStoredTelemetry, type StoredTelemetry } from './stored-telemetry.fixture.ts'

let stored: StoredTelemetry
let projectNo: number
beforeEach(() => {
  stored = createStoredTelemetry()
  projectNo = stored.project({ name: 'one' })
})
afterEach(() => stored.end())

const HOUR = 480_000
const delta = (operationNo: number, given: Partial<SketchDelta> = {}): SketchDelta => ({
  ...{ measure: 1, operationNo, hour: HOUR, added: Uint16Array.of(10, 10, 300), takenBack: [], exemplars: [] },
  ...given,
})

function leave(...deltas: SketchDelta[]): void {
  stored.store.db
    .prepare('insert into sketch_delta (project_no, received_hour, deltas) values (?, ?, ?)')
    .run(projectNo, HOUR + 1, packDeltas(deltas))
}

function roll(): number {
  const { rollNext } = createSketchRollUp(stored.store)
  let steps = 0
  while (rollNext()) steps += 1
  return steps
}

interface Row {
  operation_no: number
  minutes: number
  bucket: number
  total: number
  bins: Uint8Array
}

const rows = (minutes: number) =>
  stored.db.prepare('select * from sketch_rollup where minutes = ? order by operation_no, bucket').all(minutes) as Row[]
const binsOf = (row: Row) => {
  const sketch = createSketch()
  sketch.join(row.bins)
  return sketch.bins()
}

test('what commits measured goes into its hour and its day once', () => {
  leave(delta(1), delta(2, { hour: HOUR + 5 }))
  roll()
  leave(delta(1, { added: Uint16Array.of(300) }))
  roll()
  roll()
  expect(rows(60).map(({ operation_no, bucket, total }) => [operation_no, bucket, total])).toEqual([
    [1, HOUR, 4],
    [2, HOUR + 5, 3],
  ])
  expect(rows(1440).map(({ operation_no, bucket, total }) => [operation_no, bucket, total])).toEqual([
    [1, HOUR / 24, 4],
    [2, HOUR / 24, 3],
  ])
  expect(binsOf(rows(60)[0]!)).toEqual([
    [10, 2],
    [300, 2],
  ])
  expect(stored.count('sketch_delta')).toBe(0)
})

test('what a later judgement takes back is gone', () => {
  leave(delta(1, { measure: 3, added: Uint16Array.of(500) }))
  roll()
  leave(delta(1, { measure: 3, added: Uint16Array.of(600), takenBack: [500] }))
  roll()
  expect(rows(60).map(binsOf)).toEqual([[[600, 1]]])
})

test('a commit of thousands of operations is rolled up in short steps, each operation once', () => {
  leave(...Array.from({ length: 1_000 }, (_, n) => delta(n)))
  leave(delta(3), delta(1_005))
  expect(roll()).toBeGreaterThan(5)
  expect(rows(60).length).toBe(1_001)
  expect(rows(60).map(({ total }) => total)).toEqual(Array.from({ length: 1_001 }, (_, n) => (n === 3 ? 6 : 3)))
})

test('times of spans that were committed are what is rolled up', () => {
  stored.at(1_700_006_400_000)
  stored.send(projectNo, { trace: 1, span: 1 }, { trace: 1, span: 2, isUnended: true })
  stored.send(projectNo, { trace: 1, span: 2, isReplacing: true }, { trace: 1, span: 3, isFailing: true })
  roll()
  expect(rows(60).map(({ total }) => total)).toEqual([2])
})
