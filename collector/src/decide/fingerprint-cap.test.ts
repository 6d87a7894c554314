import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { migrate } from '@loopkit/shared/database/migrate'
import { openDatabase, type SqliteDatabase } from '@loopkit/shared/database/open'
import { telemetryMigrations } from '@loopkit/shared/database/telemetry/migrations'
import { createFingerprintCap } from './fingerprint-cap.ts'

let db: SqliteDatabase
beforeEach(() => {
  db = openDatabase(':memory:', { role: 'writer' })
  migrate(db, telemetryMigrations)
})
afterEach(() => void db.close())

test('a project tells apart no more failures than it may; all further ones are one, counted in the ledger', () => {
  const cap = createFingerprintCap(db, 2)
  expect(cap.isFull(1)).toBe(false)
  cap.noteNew(1)
  cap.noteNew(1)
  expect([cap.isFull(1), cap.isFull(2)]).toEqual([true, false])
  const overflow = cap.overflowNo(1, 120_000)
  expect(cap.overflowNo(1, 120_000)).toBe(overflow)
  expect(cap.overflowNo(2, 120_000)).not.toBe(overflow)
  expect(
    db.prepare("select count from ledger where project_no = 1 and what = 'not_told_apart:too_many_fingerprints'").pluck().all(),
  ).toEqual([2])
})

test('rows that are there count after a start, and after a rollback those that are left', () => {
  const before = createFingerprintCap(db, 1)
  before.overflowNo(1, 0)
  const cap = createFingerprintCap(db, 1)
  expect(cap.isFull(1)).toBe(true)
  db.exec('delete from fingerprint')
  cap.forget()
  expect(cap.isFull(1)).toBe(false)
})
