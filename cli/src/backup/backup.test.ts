import {
  appendFileSync,
  cpSync,
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
import { guardControl, keepControlMark } from '@loopkit/shared/database/control/guard-control'
import { controlMigrations } from '@loopkit/shared/database/control/migrations'
import { shareFolder, takeFolder } from '@loopkit/shared/database/guard/folder-lock'
import { migrate } from '@loopkit/shared/database/migrate'
import { openDatabase } from '@loopkit/shared/database/open'
import { guardTelemetry } from '@loopkit/shared/database/telemetry/guard-telemetry'
import { STORE_ID } from '@loopkit/shared/database/telemetry/last-commit'
import { telemetryMigrations } from '@loopkit/shared/database/telemetry/migrations'
import { toExitError } from '../exit-error.ts'
import { backUp } from './backup.ts'
import { type BackupManifest, parseManifest, sealManifest } from './manifest.ts'
import { restore } from './restore.ts'

const NOW_MS = 1_781_856_000_000
let root = ''
let dataDir = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'loopkit-backup-'))
  dataDir = join(root, 'data')
  mkdirSync(join(dataDir, 'secrets'), { recursive: true })
  writeFileSync(join(dataDir, 'secrets', 'recovery.key'), 'secret\n')
  writeFileSync(join(dataDir, 'first-run.txt'), 'keys in plain text')
  createInstance(dataDir, 'aa')
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

function createInstance(folder: string, store: string): void {
  mkdirSync(folder, { recursive: true })
  const control = openDatabase(join(folder, 'control.db'), { role: 'writer' })
  migrate(control, controlMigrations)
  control.exec(`insert into project (project_no, project_id, tenant_id, project_name, operator, sandbox, created_at_ms)
    values (1, 'one-00000000', 't', 'one', '', 0, 0)`)
  control.exec(`insert into audit (seq, at_ms, request_id, method, route, status, address, previous_hash, hash)
    values (1, 1000, '', '', '', 200, '', x'', randomblob(32))`)
  keepControlMark(join(folder, 'control.db'), control)
  control.close()
  const telemetry = openDatabase(join(folder, 'telemetry.db'), { role: 'writer' })
  migrate(telemetry, telemetryMigrations)
  telemetry.prepare('insert into meta (name, value) values (?, ?)').run(STORE_ID, store)
  telemetry.close()
  addCommits(folder, 1, 20)
}

function addCommits(folder: string, from: number, to: number, projectNo = 1): void {
  const db = openDatabase(join(folder, 'telemetry.db'), { role: 'writer' })
  const insert = db.prepare(`insert into segment (project_no, kind, first_commit, last_commit, commits, records, received_min_ms,
    received_max_ms, event_min_ms, event_max_ms, trace_hashes, body, body_bytes) values (?, 'span', ?, ?, x'02', 1, ?, ?, 0, 0, x'', randomblob(9000), 1)`)
  for (let commit = from; commit <= to; commit++) insert.run(projectNo, commit, commit, commit * 1000, commit * 1000)
  db.close()
}

const backUpTo = (target: string, from = dataDir) =>
  backUp({ dataDir: from, target, nowMs: NOW_MS, version: '1.2.3', pid: 7, onProgress: () => {} })
const restoreFrom = (source: string, to: string, force = false) => restore({ dataDir: to, source, force, nowMs: NOW_MS, pid: 7 })

function commitsIn(folder: string): number {
  const db = openDatabase(join(folder, 'telemetry.db'), { role: 'reader' })
  try {
    return db.prepare('select count(*) from segment').pluck().get() as number
  } finally {
    db.close()
  }
}

async function failure(action: () => unknown): Promise<[code: number, message: string]> {
  try {
    await action()
  } catch (error) {
    const { exitCode, message } = toExitError(error) as { exitCode: number; message: string }
    return [exitCode, message]
  }
  throw new Error('it did not fail')
}

describe.each([
  ['folder', 'set'],
  ['file', 'set.tar'],
])('a backup in a %s', (_name, target) => {
  test('comes back as it was: databases, secrets and marks, and the next start misses nothing', async () => {
    const manifest = await backUpTo(join(root, target))
    expect(manifest.telemetry).toMatchObject({ store: 'aa', last_commit: 20 })
    const to = join(root, 'restored')
    expect(restoreFrom(join(root, target), to).manifest).toEqual(manifest)
    expect(commitsIn(to)).toBe(20)
    expect(readFileSync(join(to, 'secrets', 'recovery.key'), 'utf8')).toBe('secret\n')
    expect(readdirSync(to).sort()).toEqual(['control.commit', 'control.db', 'run', 'secrets', 'telemetry.commit', 'telemetry.db'])
    for (const guarded of [guardTelemetry(join(to, 'telemetry.db'), NOW_MS), guardControl(join(to, 'control.db'), NOW_MS)]) {
      expect(guarded.loss).toBeNull()
      guarded.close()
    }
  })

  test("is its owner's alone, and leaves no key in plain text", async () => {
    await backUpTo(join(root, target))
    const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((path) => path.startsWith('set'))
    const modes = files
      .map((path) => statSync(join(root, path)))
      .filter((stats) => stats.isFile())
      .map(({ mode }) => mode & 0o777)
    expect(new Set(modes)).toEqual(new Set([0o600]))
    expect(files.some((path) => path.includes('first-run'))).toBe(false)
  })

  test('is not written over anything', async () => {
    await backUpTo(join(root, target))
    expect(await failure(() => backUpTo(join(root, target)))).toEqual([73, expect.stringContaining('exists already')])
    expect(readdirSync(root).sort()).toEqual(['data', target])
  })
})

test('a backup of a folder without an instance is refused', async () => {
  const [code] = await failure(() => backUpTo(join(root, 'set'), join(root, 'nothing')))
  expect(code).toBe(66)
})

test('a backup of a damaged database fails and leaves nothing behind', async () => {
  const path = join(dataDir, 'telemetry.db')
  const bytes = readFileSync(path)
  writeFileSync(path, bytes.fill(0x55, 16_384, 32_768))
  expect((await failure(() => backUpTo(join(root, 'set'))))[0]).toBe(74)
  expect(readdirSync(root)).toEqual(['data'])
})

test('databases that are not of one instance make no backup', async () => {
  addCommits(dataDir, 21, 21, 9)
  expect(await failure(() => backUpTo(join(root, 'set')))).toEqual([74, expect.stringContaining('backup_mixed')])
})

describe('a set that is not whole, sound and of one piece is refused, and nothing is touched', () => {
  const reseal = (set: string, change: (manifest: BackupManifest) => Partial<BackupManifest>) => {
    const manifest = parseManifest(readFileSync(join(set, 'manifest.json'), 'utf8'))
    writeFileSync(join(set, 'manifest.json'), JSON.stringify({ ...manifest, ...change(manifest) }))
  }
  const flip = (path: string, at: number) => {
    const bytes = readFileSync(path)
    bytes[at] = bytes[at]! ^ 1
    writeFileSync(path, bytes)
  }
  test.each<[string, number, string, (set: string, other: string) => void]>([
    ['no manifest', 74, 'backup_partial', (set) => rmSync(join(set, 'manifest.json'))],
    ['a database missing', 74, 'backup_partial', (set) => rmSync(join(set, 'control.db'))],
    ['a secret missing', 74, 'backup_partial', (set) => rmSync(join(set, 'secrets', 'recovery.key'))],
    ['a database cut', 74, 'backup_damaged', (set) => truncateSync(join(set, 'telemetry.db'), 40_960)],
    ['a database grown', 74, 'backup_damaged', (set) => appendFileSync(join(set, 'telemetry.db'), 'x')],
    [
      'a byte of a row flipped',
      74,
      'backup_damaged',
      (set) => flip(join(set, 'telemetry.db'), statSync(join(set, 'telemetry.db')).size - 100),
    ],
    ['a byte of a secret flipped', 74, 'backup_damaged', (set) => flip(join(set, 'secrets', 'recovery.key'), 2)],
    [
      'telemetry.db of another day',
      74,
      'backup_mixed',
      (set, other) => cpSync(join(other, 'telemetry.db'), join(set, 'telemetry.db')),
    ],
    [
      'control.db of another instance',
      74,
      'backup_mixed',
      (set, other) => cpSync(join(other, 'control.db'), join(set, 'control.db')),
    ],
    [
      'an altered manifest',
      74,
      'backup_damaged',
      (set) => reseal(set, ({ telemetry }) => ({ telemetry: { ...telemetry, last_commit: 3 } })),
    ],
    ['a manifest that is none', 74, 'backup_damaged', (set) => writeFileSync(join(set, 'manifest.json'), '[]')],
    ['a newer format', 78, 'backup_newer', (set) => reseal(set, () => ({ format_version: 2 }))],
    [
      'an empty folder',
      66,
      'no backup',
      (set) => readdirSync(set).forEach((name) => void rmSync(join(set, name), { recursive: true })),
    ],
  ])('%s', async (_name, expectedCode, expectedText, damage) => {
    const [set, other, to] = [join(root, 'set'), join(root, 'other'), join(root, 'restored')]
    await backUpTo(set)
    createInstance(join(root, 'elsewhere'), 'bb')
    addCommits(join(root, 'elsewhere'), 21, 30)
    await backUpTo(other, join(root, 'elsewhere'))
    damage(set, other)
    const [code, message] = await failure(() => restoreFrom(set, to))
    expect([code, message]).toEqual([expectedCode, expect.stringContaining(expectedText)])
    expect(readdirSync(to)).toEqual(['run'])
  })

  test('a file path that leads out of the set', async () => {
    const { format: _f, format_version: _v, digest: _d, ...content } = await backUpTo(join(root, 'set'))
    const file = { path: 'secrets/../../evil', bytes: 1, sha256: '' }
    writeFileSync(
      join(root, 'set', 'manifest.json'),
      JSON.stringify(sealManifest({ ...content, files: [...content.files, file] })),
    )
    expect((await failure(() => restoreFrom(join(root, 'set'), join(root, 'restored'))))[0]).toBe(74)
  })

  test('a database of a newer version', async () => {
    const db = openDatabase(join(dataDir, 'telemetry.db'), { role: 'writer' })
    db.prepare("insert into schema_migration (number, name) values (99, 'later')").run()
    db.close()
    expect((await failure(() => backUpTo(join(root, 'set'))))[0]).toBe(78)
  })

  test.each([100, 600, 5_000, 200_000])('an archive cut %i bytes before its end', async (bytes) => {
    const archive = join(root, 'set.tar')
    await backUpTo(archive)
    truncateSync(archive, statSync(archive).size - 1024 - bytes)
    expect((await failure(() => restoreFrom(archive, join(root, 'restored'))))[0]).toBe(74)
    expect(readdirSync(join(root, 'restored'))).toEqual(['run'])
  })
})

describe('restoring over an instance', () => {
  test('is refused, and with force moves what was there aside', async () => {
    await backUpTo(join(root, 'set'))
    addCommits(dataDir, 21, 30)
    expect((await failure(() => restoreFrom(join(root, 'set'), dataDir)))[0]).toBe(73)
    expect(commitsIn(dataDir)).toBe(30)
    const { movedTo } = restoreFrom(join(root, 'set'), dataDir, true)
    expect([commitsIn(dataDir), commitsIn(movedTo!)]).toEqual([20, 30])
    expect(existsSync(join(movedTo!, 'first-run.txt'))).toBe(true)
  })

  test.each([
    ['a collector', (folder: string) => takeFolder(folder, 'collector')],
    ['an analyzer', (folder: string) => shareFolder(folder, 'analyzer')],
  ])('is refused while %s runs there, whatever is forced', async (_name, run) => {
    await backUpTo(join(root, 'set'))
    const stop = run(dataDir)
    expect((await failure(() => restoreFrom(join(root, 'set'), dataDir, true)))[0]).toBe(75)
    stop()
    restoreFrom(join(root, 'set'), dataDir, true)
  })

  test('that was cut off is finished by doing it again, and no service begins meanwhile', async () => {
    await backUpTo(join(root, 'set'))
    writeFileSync(join(dataDir, 'restore.unfinished'), '')
    rmSync(join(dataDir, 'telemetry.db'))
    expect(() => guardTelemetry(join(dataDir, 'telemetry.db'), NOW_MS)).toThrow(/was not finished/)
    restoreFrom(join(root, 'set'), dataDir)
    expect(commitsIn(dataDir)).toBe(20)
    guardTelemetry(join(dataDir, 'telemetry.db'), NOW_MS).close()
  })
})
