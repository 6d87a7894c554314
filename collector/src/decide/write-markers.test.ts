import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { migrate } from '@loopkit/shared/database/migrate'
import { openDatabase, type SqliteDatabase } from '@loopkit/shared/database/open'
import { MARKER_VALUES_MAX, MARKERS_PER_PROJECT_MAX } from '@loopkit/shared/database/telemetry/change-markers'
import { telemetryMigrations } from '@loopkit/shared/database/telemetry/migrations'
import { createMarkerWriter, type DecidedMarker } from './write-markers.ts'

let folder: string
let db: SqliteDatabase

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'loopkit-markers-'))
  db = openDatabase(join(folder, 'telemetry.db'), { role: 'writer' })
  migrate(db, telemetryMigrations)
})
afterEach(() => {
  db.close()
  rmSync(folder, { recursive: true })
})

const marker = (value: string, eventMs: number, subject = 'chat'): DecidedMarker => ({
  ...{ kind: 'model', service: 'shop', subject, value, eventMs },
})
const stored = () => db.prepare('select value, first_event_ms from change_marker order by subject, value').raw().all()

test('a marker is kept once, with its first run, in whatever order runs come and however often', () => {
  const runs = [marker('b', 30), marker('a', 20), marker('a', 10), marker('b', 40), marker('a', 20)]
  for (const order of [runs, runs.toReversed()]) {
    db.exec('delete from change_marker')
    const writer = createMarkerWriter(db)
    for (const one of [...order, ...order]) writer.write(1, [one], 100)
    createMarkerWriter(db).write(1, order, 200)
    expect(stored()).toEqual([
      ['a', 10],
      ['b', 30],
    ])
  }
})

test('values of a subject and markers of a project are bounded; another project has its own', () => {
  const writer = createMarkerWriter(db)
  for (let i = 0; i < 2 * MARKER_VALUES_MAX; i++) writer.write(1, [marker(`m-${i}`, i)], 1)
  expect(stored()).toHaveLength(MARKER_VALUES_MAX)
  for (let i = 0; i < 2 * MARKERS_PER_PROJECT_MAX; i++) writer.write(1, [marker('m', i, `s-${i}`)], 1)
  expect(stored()).toHaveLength(MARKERS_PER_PROJECT_MAX)
  writer.write(2, [marker('m', 1)], 1)
  expect(stored()).toHaveLength(MARKERS_PER_PROJECT_MAX + 1)
})

test('what a transaction that was rolled back wrote is written again', () => {
  const writer = createMarkerWriter(db)
  db.exec('begin')
  writer.write(1, [marker('a', 10)], 1)
  db.exec('rollback')
  writer.forget()
  writer.write(1, [marker('a', 10)], 1)
  expect(stored()).toEqual([['a', 10]])
})
