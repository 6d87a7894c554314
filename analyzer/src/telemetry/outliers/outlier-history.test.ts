import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { migrate } from '@loopkit/shared/database/migrate'
import { openDatabase, type SqliteDatabase } from '@loopkit/shared/database/open'
import { telemetryMigrations } from '@loopkit/shared/database/telemetry/migrations'
import { type Exemplar, packExemplars } from '@loopkit/shared/rollup/exemplars'
import { binOf, createSketch } from '@loopkit/shared/rollup/sketch'
import { packDeltas } from '@loopkit/shared/rollup/sketch-delta'
import { createReadMemory } from '../read-memory.ts'
import { openEmptyTelemetry, type TelemetryConnection } from '../telemetry-file.ts'
import { readOutliers } from './read-outliers.ts'

const PROJECT = 1
const HOUR = 480_000
const SEED = 20_261_121

function createRandom(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

/** What the collector leaves: a delta of some runs, and its roll-up. */
function createStore(db: SqliteDatabase, random: (below: number) => number) {
  const values = new Map<string, number[]>()
  const put = db.prepare('insert or replace into sketch_rollup values (?, 1, ?, ?, ?, ?, ?, ?, ?)')
  for (const operationNo of [1, 2, 3])
    db.prepare('insert into operation values (?, ?, ?, ?)').run(operationNo, PROJECT, 'shop', `op ${operationNo}`)
  const exemplarsOf = (all: readonly number[]): Exemplar[] =>
    all
      .filter((value) => value >= 50)
      .sort((a, b) => b - a)
      .slice(0, 6)
      .map((value, n) => ({ value, eventMs: value, traceId: new Uint8Array(16).fill(n), spanId: new Uint8Array(8) }))
  function rollUp(operationNo: number, hour: number, receivedHour: number, added: readonly number[]): void {
    for (const [minutes, bucket] of [
      [60, hour],
      [1440, Math.floor(hour / 24)],
    ] as const) {
      const key = `${operationNo} ${minutes} ${bucket}`
      const all = [...(values.get(key) ?? []), ...added]
      values.set(key, all)
      const sketch = createSketch()
      for (const value of all) sketch.add(binOf(value), 1)
      const named = packExemplars(minutes === 60 ? exemplarsOf(all) : [])
      put.run(PROJECT, operationNo, minutes, bucket, receivedHour, all.length, sketch.toBytes(), named)
    }
  }
  const waiting: (() => void)[] = []
  return {
    runs(hour: number, receivedHour: number): void {
      const operationNo = 1 + random(3)
      const slow = random(4) === 0 ? 5 : 1
      const usual = operationNo === 3 ? 4 : 200
      const added = Array.from({ length: 40 + random(60) }, () => slow * (usual + random(usual)))
      const delta = {
        measure: 1,
        operationNo,
        hour,
        added: Uint16Array.from(added, binOf),
        takenBack: [],
        exemplars: exemplarsOf(added),
      }
      const { lastInsertRowid } = db
        .prepare('insert into sketch_delta (project_no, received_hour, deltas) values (?, ?, ?)')
        .run(PROJECT, receivedHour, packDeltas([delta]))
      waiting.push(() => {
        db.prepare('delete from sketch_delta where delta_no = ?').run(lastInsertRowid)
        rollUp(operationNo, hour, receivedHour, added)
      })
    },
    rollSome(most: number): void {
      for (const one of waiting.splice(0, random(most))) one()
    },
  }
}

const ask = (connection: TelemetryConnection, nowHour: number) =>
  JSON.stringify(
    readOutliers(connection, {
      ...{ projectNo: PROJECT, window: { fromMinute: (nowHour - 24) * 60, toMinute: (nowHour + 1) * 60 }, events: null },
      ...{ service: null, off: [] },
    }),
  )

test(`what is remembered of hours changes no answer (seed ${SEED})`, () => {
  const random = createRandom(SEED)
  const folder = mkdtempSync(join(tmpdir(), 'loopkit-outliers-'))
  const db = openDatabase(join(folder, 'telemetry.db'), { role: 'writer' })
  migrate(db, telemetryMigrations)
  const store = createStore(db, random)
  const empty = openEmptyTelemetry()
  const remembering = { ...empty, db, memory: createReadMemory() }
  const forgetting = { ...empty, db, memory: createReadMemory(0) }
  let found = 0
  for (let step = 0; step < 130; step++) {
    const nowHour = HOUR + Math.floor(step / 5)
    // Some arrives hours late.
    for (let n = random(6); n >= 0; n--) store.runs(nowHour - (random(5) === 0 ? random(30) : 0), nowHour)
    store.rollSome(8)
    const answer = ask(remembering, nowHour)
    expect(answer).toBe(ask(forgetting, nowHour))
    if (answer !== '[]') found++
  }
  expect(found).toBeGreaterThan(20)
  db.close()
  empty.db.close()
  rmSync(folder, { recursive: true })
})
