import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import {
  commitMarkPath,
  createMarkWriter,
  decodeCommitMark,
  encodeCommitMark,
  layCommitMark,
  readCommitMark,
} from './commit-mark.ts'
import type { DataLoss } from './data-loss.ts'
import { judgeLoss } from './judge-loss.ts'

const STORE = '00112233aabbccdd'
const mark = (number: number, atMs = 1000, store = STORE) => ({ store, number, atMs })

const throwCode = (code: string): never => {
  throw Object.assign(new Error(code), { code })
}

describe('the mark of the last commit', () => {
  let folder = ''
  let database = ''
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'loopkit-mark-'))
    database = join(folder, 'telemetry.db')
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  test('is read as it was laid and as it was written over, whatever the lengths', () => {
    expect(readCommitMark(database)).toBeNull()
    layCommitMark(database, mark(0, 0))
    expect(readCommitMark(database)).toEqual(mark(0, 0))
    const writer = createMarkWriter(database, STORE)
    for (const number of [Number.MAX_SAFE_INTEGER, 7]) {
      writer.note(number, 1_781_856_000_000)
      expect(readCommitMark(database)).toEqual(mark(number, 1_781_856_000_000))
    }
    writer.close()
  })

  test('of a folder that is gone stops nobody', () => {
    const writer = createMarkWriter(join(folder, 'gone', 'telemetry.db'), STORE)
    expect(() => writer.note(1, 1)).not.toThrow()
    writer.close()
  })

  test.each([
    ['EROFS', true],
    ['EIO', true],
    ['ENOSPC', false],
  ])('that cannot be written for %s puts the commit before it in doubt: %s', (code, isDoubted) => {
    layCommitMark(database, mark(1))
    const note = () => createMarkWriter(database, STORE, () => throwCode(code)).note(2, 1)
    if (isDoubted) expect(note).toThrow(expect.objectContaining({ code: 'SQLITE_IOERR_FSYNC' }))
    else expect(note).not.toThrow()
    expect(readCommitMark(database)).toEqual(mark(1))
  })

  test('that is torn, cut or flipped is no mark', () => {
    const whole = encodeCommitMark(mark(1234, 1_781_856_000_000))
    for (let at = 0; at < whole.length; at++) {
      const flipped = Uint8Array.from(whole)
      flipped[at] = flipped[at]! ^ 0x01
      expect(decodeCommitMark(flipped)).toBeNull()
      expect(decodeCommitMark(whole.subarray(0, at))).toBeNull()
    }
    writeFileSync(commitMarkPath(database), '')
    expect(readCommitMark(database)).toBeNull()
    writeFileSync(commitMarkPath(database), readFileSync(import.meta.filename))
    expect(readCommitMark(database)).toBeNull()
  })
})

const lost = (from: number, to: number, after: string | null, until: string | null): Partial<DataLoss> => ({
  from_commit: from,
  to_commit: to,
  after_at: after,
  until_at: until,
})
const at = (ms: number) => new Date(ms).toISOString()

test.each([
  ['no mark says nothing', null, { store: STORE, commit: 0, atMs: 0 }, null],
  ['a mark of no commit says nothing', mark(0), { store: 'ff', commit: 0, atMs: 0 }, null],
  ['a database at its mark is whole', mark(5), { store: STORE, commit: 5, atMs: 1000 }, null],
  ['a mark that lags behind a power cut alarms nobody', mark(5), { store: STORE, commit: 9, atMs: 1000 }, null],
  [
    'a database behind its mark has lost what lies between',
    mark(5, 9000),
    { store: STORE, commit: 2, atMs: 4000 },
    lost(3, 5, at(4000), at(9000)),
  ],
  ['one that holds nothing has lost all', mark(5, 9000), { store: STORE, commit: 0, atMs: 0 }, lost(1, 5, null, at(9000))],
  [
    'another database in its place has lost all, whatever its numbers',
    mark(5, 9000),
    { store: 'ff', commit: 99, atMs: 4000 },
    lost(1, 5, null, at(9000)),
  ],
  [
    'an older copy without a name is judged by its numbers',
    mark(5, 9000),
    { store: null, commit: 4, atMs: 4000 },
    lost(5, 5, at(4000), at(9000)),
  ],
])('%s', (_name, found, stored, expected) => {
  const loss = judgeLoss('telemetry.db', found, stored, 10_000)
  if (expected === null) expect(loss).toBeNull()
  else expect(loss).toMatchObject({ ...expected, database: 'telemetry.db', detected_at: at(10_000), acknowledged_at: null })
})
