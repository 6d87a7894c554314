import { randomBytes } from 'node:crypto'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { readCommitMark } from '../guard/commit-mark.ts'
import { migrate } from '../migrate.ts'
import { openDatabase, type SqliteDatabase } from '../open.ts'
import { guardControl, keepControlMark } from './guard-control.ts'
import { controlMigrations } from './migrations.ts'

let dataDir = ''
let path = ''
let nowMs = 0
beforeEach(() => {
  nowMs = 0
  dataDir = mkdtempSync(join(tmpdir(), 'loopkit-control-'))
  path = join(dataDir, 'control.db')
})
afterEach(() => rmSync(dataDir, { recursive: true, force: true }))

interface Opened {
  change(count: number): void
  db: SqliteDatabase
}

/** As an analyzer does. */
function open(): Opened {
  const db = openDatabase(path, { role: 'writer' })
  db.pragma('wal_autocheckpoint = 0')
  migrate(db, controlMigrations)
  const onCommitted = keepControlMark(path, db)
  const insert = db.prepare(`insert into audit (seq, at_ms, request_id, method, route, status, address, previous_hash, hash)
    select coalesce(max(seq), 0) + 1, ?, '', '', '', 200, '', x'', ? from audit`)
  return {
    db,
    change(count) {
      for (let n = 0; n < count; n++) {
        nowMs += 1000
        insert.run(nowMs, randomBytes(32))
        onCommitted()
      }
    },
  }
}

/** Changes, and then the file as it was before the last of them: its log is gone. */
function loseLast(kept: number, lost: number): void {
  const opened = open()
  opened.change(kept)
  opened.db.pragma('wal_checkpoint(TRUNCATE)')
  opened.change(lost)
  mkdirSync(join(dataDir, 'aside'), { recursive: true })
  copyFileSync(path, join(dataDir, 'aside', 'control.db'))
  opened.db.close()
  copyFileSync(join(dataDir, 'aside', 'control.db'), path)
}

function lossSeen() {
  const { loss, close } = guardControl(path, 1)
  close()
  return loss
}

test('the mark follows the audit', () => {
  const { change, db } = open()
  expect(readCommitMark(path)).toMatchObject({ number: 0 })
  change(3)
  expect(readCommitMark(path)).toMatchObject({ number: 3, atMs: 3000 })
  db.close()
  expect(lossSeen()).toBeNull()
})

test('changes that are gone are told once with their range, and again when they are lost again', () => {
  loseLast(4, 3)
  expect(lossSeen()).toMatchObject({
    database: 'control.db',
    from_commit: 5,
    to_commit: 7,
    after_at: new Date(4000).toISOString(),
  })
  expect(lossSeen()).toBeNull()
  loseLast(1, 2)
  expect(lossSeen()).toMatchObject({ from_commit: 6, to_commit: 7 })
})

test('a file that went another way is another file, whatever its numbers', () => {
  loseLast(2, 3)
  const { change, db } = open()
  change(9)
  db.close()
  const elsewhere = join(dataDir, 'elsewhere.db')
  copyFileSync(path, elsewhere)
  rmSync(path)
  rmSync(join(dataDir, 'control.commit'))
  const other = open()
  other.change(6)
  other.db.close()
  copyFileSync(elsewhere, path)
  expect(lossSeen()).toMatchObject({ from_commit: 1, to_commit: 6 })
})

test('a file that is gone is not made anew: its numbers would be given to other projects', () => {
  const { change, db } = open()
  change(1)
  db.close()
  rmSync(path)
  expect(lossSeen).toThrow(/is gone, though 1 commits were stored/)
})
