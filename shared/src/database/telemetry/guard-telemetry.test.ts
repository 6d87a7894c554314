import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { commitMarkPath, layCommitMark } from '../guard/commit-mark.ts'
import { readDataLosses } from '../guard/data-loss.ts'
import { shareFolder } from '../guard/folder-lock.ts'
import { migrate } from '../migrate.ts'
import { openDatabase, type SqliteDatabase } from '../open.ts'
import { guardTelemetry } from './guard-telemetry.ts'
import { readLastCommit, STORE_ID } from './last-commit.ts'
import { telemetryMigrations } from './migrations.ts'

const STORE = 'aabbccdd00112233'
const NOW_MS = 1_781_856_000_000
const COMMITS = 200
const FRAME_BYTES = 8192 + 24

let root = ''
let dataDir = ''
let path = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'loopkit-guard-'))
  dataDir = join(root, 'data')
  mkdirSync(dataDir)
  path = join(dataDir, 'telemetry.db')
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

function insertCommit(db: SqliteDatabase, commit: number): void {
  // Rows of many sizes, so that pages are freed and used again as with merges.
  db.prepare(`insert into segment (project_no, kind, first_commit, last_commit, commits, records, received_min_ms, received_max_ms,
      event_min_ms, event_max_ms, trace_hashes, body, body_bytes) values (1, 'span', ?, ?, x'02', 1, ?, ?, 0, 0, x'', randomblob(?), 1)`).run(
    commit,
    commit,
    commit * 1000,
    commit * 1000,
    500 + ((commit * 977) % 20_000),
  )
  if (commit % 7 === 0) db.prepare('delete from segment where first_commit = ?').run(commit - 5)
}

/** What a collector leaves that was killed after `COMMITS` commits, the first `moved` of which were moved into the file. */
function leaveStore({ moved }: { moved: number }): void {
  const live = join(root, 'live')
  mkdirSync(live)
  const db = openDatabase(join(live, 'telemetry.db'), { role: 'writer' })
  db.pragma('wal_autocheckpoint = 0')
  migrate(db, telemetryMigrations)
  db.prepare('insert into meta (name, value) values (?, ?)').run(STORE_ID, STORE)
  let pinned: SqliteDatabase | null = null
  for (let commit = 1; commit <= COMMITS; commit++) {
    insertCommit(db, commit)
    // A reader keeps the log from being begun anew, as any long read does.
    if (pinned === null && commit === 2) {
      db.pragma('wal_checkpoint(PASSIVE)')
      insertCommit(db, ++commit)
      pinned = openDatabase(join(live, 'telemetry.db'), { role: 'reader' })
      pinned.exec('begin')
      pinned.prepare('select count(*) from segment').get()
    }
    if (commit === moved) {
      pinned?.exec('rollback; begin')
      pinned?.prepare('select count(*) from segment').get()
      const [moving] = db.pragma('wal_checkpoint(PASSIVE)') as { busy: number; checkpointed: number }[]
      if (moving?.busy !== 0 || moving.checkpointed === 0) throw new Error(`nothing was moved: ${JSON.stringify(moving)}`)
    }
  }
  for (const name of ['telemetry.db', 'telemetry.db-wal', 'telemetry.db-shm']) copyFileSync(join(live, name), join(dataDir, name))
  pinned?.close()
  db.close()
  layCommitMark(path, { store: STORE, number: COMMITS, atMs: COMMITS * 1000 })
}

function flip(file: string, at: number): void {
  const bytes = readFileSync(file)
  bytes[at] = bytes[at]! ^ 0x40
  writeFileSync(file, bytes)
}

/** A byte in the page of a frame, at this share of the log. */
function flipFrame(share: number): void {
  const frames = Math.floor((statSync(`${path}-wal`).size - 32) / FRAME_BYTES)
  flip(`${path}-wal`, 32 + Math.floor(frames * share) * FRAME_BYTES + 24 + 4000)
}

function guard() {
  const guarded = guardTelemetry(path, NOW_MS)
  guarded.close()
  return guarded
}

/** The last commit as a writer sees it afterwards, and whether the file is sound. */
function openAfterwards(): { commit: number; check: string } {
  const db = openDatabase(path, { role: 'writer' })
  try {
    return { commit: readLastCommit(db).commit, check: db.pragma('integrity_check(1)', { simple: true }) as string }
  } finally {
    db.close()
  }
}

describe('what alarms nobody', () => {
  test.each<[string, () => void]>([
    ['a kill', () => {}],
    ['the shared memory removed', () => rmSync(`${path}-shm`)],
    ['the mark removed', () => rmSync(commitMarkPath(path))],
    ['a mark that lags', () => layCommitMark(path, { store: STORE, number: 5, atMs: 1 })],
  ])('%s', (_name, damage) => {
    leaveStore({ moved: 100 })
    damage()
    expect(guard()).toMatchObject({ loss: null, setAside: null })
    expect(openAfterwards()).toEqual({ commit: COMMITS, check: 'ok' })
  })
})

describe('commits that are gone are told with their range', () => {
  test.each<[string, number, () => void, number]>([
    ['the log removed', 100, () => rmSync(`${path}-wal`), 100],
    ['the log cut to nothing', 100, () => truncateSync(`${path}-wal`, 0), 100],
    [
      'the log cut in its middle, nothing of it moved',
      0,
      () => truncateSync(`${path}-wal`, Math.floor(statSync(`${path}-wal`).size / 2)),
      60,
    ],
    ['a byte of the log flipped behind what was moved', 60, () => flipFrame(0.8), 100],
    ['a byte of the log flipped, nothing of it moved', 0, () => flipFrame(0.5), 60],
  ])('%s', (_name, moved, damage, keptMin) => {
    leaveStore({ moved })
    damage()
    const { loss } = guard()
    const { commit, check } = openAfterwards()
    expect(check).toBe('ok')
    expect(commit).toBeGreaterThanOrEqual(keptMin)
    expect(loss).toMatchObject({ from_commit: commit + 1, to_commit: COMMITS, until_at: new Date(COMMITS * 1000).toISOString() })
    expect(loss?.after_at).toBe(new Date(commit * 1000).toISOString())
    expect(readDataLosses(dataDir, 'telemetry.db')).toEqual([loss])
    expect(guard().loss).toBeNull()
  })

  test('another database in its place has lost all', () => {
    leaveStore({ moved: 100 })
    layCommitMark(path, { store: '11', number: 7, atMs: 1000 })
    expect(guard().loss).toMatchObject({ from_commit: 1, to_commit: 7, after_at: null })
  })

  test('the damaged log is kept for whoever wants to look into it', () => {
    leaveStore({ moved: 60 })
    flipFrame(0.8)
    const damaged = readFileSync(`${path}-wal`)
    expect(readFileSync(guard().setAside!).equals(damaged)).toBe(true)
  })
})

describe('a log that hides what was moved into the file is set aside', () => {
  test('with all of it moved nothing is lost', () => {
    leaveStore({ moved: COMMITS })
    flipFrame(0.3)
    const { loss, setAside } = guard()
    expect([loss, existsSync(setAside!)]).toEqual([null, true])
    expect(openAfterwards()).toEqual({ commit: COMMITS, check: 'ok' })
  })

  test('with a part of it moved only what came after that is lost', () => {
    leaveStore({ moved: 150 })
    flipFrame(0.3)
    expect(guard().loss).toMatchObject({ from_commit: 151, to_commit: COMMITS })
    expect(openAfterwards()).toEqual({ commit: 150, check: 'ok' })
    expect(readdirSync(dataDir).filter((name) => name.includes('alone'))).toEqual([])
  })

  test('while an analyzer has the file open another one takes its place, which it notices', () => {
    leaveStore({ moved: 150 })
    flipFrame(0.3)
    const release = shareFolder(dataDir, 'analyzer')
    const { ino } = statSync(path)
    expect(guard().loss).toMatchObject({ from_commit: 151 })
    expect(statSync(path).ino).not.toBe(ino)
    expect(openAfterwards()).toEqual({ commit: 150, check: 'ok' })
    release()
  })
})

describe('what is no database is left as it is', () => {
  const removeLog = () => {
    for (const end of ['-wal', '-shm']) rmSync(path + end, { force: true })
  }
  /** Evaluated in their order. */
  const both = (..._steps: unknown[]) => {}
  test.each<[string, RegExp, () => void]>([
    ['gone', /is gone, though 200 commits were stored/, () => rmSync(path)],
    ['gone with its log', /is gone/, () => both(rmSync(path), removeLog())],
    ['gone, with a log and no mark', /its write-ahead log is there/, () => both(rmSync(path), rmSync(commitMarkPath(path)))],
    ['cut to nothing', /is empty/, () => truncateSync(path, 0)],
    ['cut to its header', /malformed|no database/, () => both(truncateSync(path, 100), removeLog())],
    ['cut to half a header', /no database/, () => truncateSync(path, 50)],
    ['cut to its half', /malformed/, () => both(truncateSync(path, Math.floor(statSync(path).size / 16384) * 8192), removeLog())],
    ['its first page zeroed', /no database/, () => writeFileSync(path, readFileSync(path).fill(0, 0, 8192))],
    ['another kind of file', /no database/, () => writeFileSync(path, 'x'.repeat(10_000))],
    ['a directory', /is no file/, () => both(rmSync(path), mkdirSync(path))],
    ['a restore that was not finished', /was not finished/, () => writeFileSync(join(dataDir, 'restore.unfinished'), '')],
  ])('%s', (_name, why, damage) => {
    leaveStore({ moved: 150 })
    damage()
    const seen = () => readdirSync(dataDir).map((name) => [name, name.endsWith('-shm') ? 0 : contentOf(join(dataDir, name))])
    const before = seen()
    expect(guard).toThrow(why)
    expect(seen().filter(([name]) => !/-(wal|shm)$/.test(String(name)) || before.some(([b]) => b === name))).toEqual(before)
  })

  test('a folder without anything is a first start', () => {
    expect(guard()).toMatchObject({ mark: null, loss: null })
    writeFileSync(path, '')
    expect(guard()).toMatchObject({ mark: null, loss: null })
  })
})

function contentOf(file: string): string {
  return statSync(file).isDirectory() ? 'directory' : readFileSync(file).toString('base64')
}
