import { expect, test } from '@jest/globals'
import { openDatabase } from '@loopkit/shared/database/open'
import { readTraceCounts, traceCounts } from '@loopkit/shared/database/telemetry/trace-counts'
import { createTraceCounts } from '../admit/trace-counts.ts'
import { createTraceCountWriter } from './write-trace-counts.ts'

function openTable() {
  const db = openDatabase(':memory:', { role: 'writer' })
  db.exec('create table segment (project_no integer, received_max_ms integer)')
  db.exec('insert into segment values (2, 70), (2, 80), (0, 90)')
  db.exec(traceCounts)
  return db
}

function keyOf(trace: number): string {
  const counts = createTraceCounts()
  counts.add(trace, 0, 'deduplicated', 1)
  return [...counts.entries().keys()][0]!
}

test('of the most rows of a project the oldest go, and from then on counts may be missing', () => {
  const db = openTable()
  const writer = createTraceCountWriter(db, 10, 4)
  for (let trace = 1; trace <= 10; trace++) writer.add(1, keyOf(trace), 1, trace * 100)
  writer.add(1, keyOf(2), 5, 2_000)
  writer.trim()
  expect(readTraceCounts(db, 1, 2n)).toEqual({ counts: { deduplicated: 6 }, missingUntilMs: null })
  writer.add(1, keyOf(11), 1, 2_100)
  writer.trim()
  expect([1n, 2n, 3n, 4n, 5n, 6n, 11n].map((trace) => readTraceCounts(db, 1, trace).counts.deduplicated ?? 0)).toEqual([
    0, 6, 0, 0, 0, 1, 1,
  ])
  expect(readTraceCounts(db, 1, 6n).missingUntilMs).toBe(500)
  expect(readTraceCounts(db, 3, 6n).missingUntilMs).toBeNull()
})

test('of records from before the table counts may be missing', () => {
  const db = openTable()
  expect(readTraceCounts(db, 2, 1n)).toEqual({ counts: {}, missingUntilMs: 80 })
})
