import { existsSync, mkdirSync, readdirSync, renameSync, rmdirSync, rmSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { readCommitMark } from '@loopkit/shared/database/guard/commit-mark'
import { checkDatabasePlace } from '@loopkit/shared/database/guard/database-place'
import { openDatabase, type SqliteDatabase } from '@loopkit/shared/database/open'
import { createFolder } from '@loopkit/shared/runtime/data-folder'
import { syncFolder, writeDurably } from '@loopkit/shared/runtime/durable-file'
import { ExitError, FOLDER_EXIT } from '../exit-error.ts'
import { type DatabaseFile, readFacts, refuseDamaged, refuseUnknownProjects } from './database-facts.ts'
import { copyWithSum, isRegularFile, settleFile, sumOf } from './files.ts'
import { type BackupManifest, type DatabaseFacts, isFileOfSet, MANIFEST_FILE, SECRETS_FOLDER, sealManifest } from './manifest.ts'
import { packTar } from './tar.ts'

export interface BackupOptions {
  dataDir: string
  /** A folder that is not there or empty, or a file that ends in `.tar`. */
  target: string
  nowMs: number
  version: string
  /** For names that no other run uses. */
  pid: number
  onProgress(what: string, done: number, of: number): void
}

/** Copied in one go, in pages: 8 MB. The source's log is pinned meanwhile, so the whole should not take long. */
const PAGES_PER_STEP = 1024
const SECRET_FILES_MAX = 100
const SECRET_MAX_BYTES = 1024 ** 2

/**
 * Writes both databases and the secrets of a running or stopped instance as one set. Each database is one moment's state: its
 * pages are copied inside one read transaction, which writers neither wait for nor can undo. Nothing is left behind when it fails.
 */
export async function backUp(options: BackupOptions): Promise<BackupManifest> {
  const { dataDir, target, pid, nowMs } = options
  const isFile = target.endsWith('.tar')
  refuseTarget(target, isFile)
  refuseSource(dataDir)
  createFolder(dirname(resolve(target)))
  const part = `${resolve(target)}.part-${pid}`
  try {
    mkdirSync(part, { mode: 0o700 })
    const manifest = await writeSet(options, part)
    if (isFile) {
      const archive = `${part}.tar`
      packTar(archive, part, [...manifest.files.map(({ path }) => path), MANIFEST_FILE], nowMs)
      renameSync(archive, target)
    } else {
      if (existsSync(target)) rmdirSync(target)
      renameSync(part, target)
    }
    syncFolder(dirname(resolve(target)))
    return manifest
  } finally {
    removeParts(part)
  }
}

/** Also called when a signal ends the command. */
export function removeParts(part: string): void {
  rmSync(part, { recursive: true, force: true })
  rmSync(`${part}.tar`, { force: true })
}

function refuseTarget(target: string, isFile: boolean): void {
  const found = statSync(target, { throwIfNoEntry: false })
  if (found === undefined || (!isFile && found.isDirectory() && readdirSync(target).length === 0)) return
  throw new ExitError(FOLDER_EXIT.cannotCreate, `${target} exists already; name a new file or an empty folder`)
}

function refuseSource(dataDir: string): void {
  for (const name of ['telemetry.db', 'control.db']) {
    const path = join(dataDir, name)
    if (checkDatabasePlace(path, readCommitMark(path)) === 'absent')
      throw new ExitError(
        FOLDER_EXIT.nothingThere,
        `there is no instance in ${dataDir}: ${name} is not there; set LOOPKIT_DATA_DIR`,
      )
  }
}

async function writeSet(options: BackupOptions, folder: string): Promise<BackupManifest> {
  const { dataDir, nowMs, version } = options
  const { telemetry, control } = await copyDatabases(options, folder)
  const secrets = copySecrets(join(dataDir, SECRETS_FOLDER), join(folder, SECRETS_FOLDER))
  const files = ['control.db', 'telemetry.db', ...secrets].map((path) => ({ path, ...sumOf(join(folder, path)) }))
  const manifest = sealManifest({
    created_at: new Date(nowMs).toISOString(),
    product_version: version,
    telemetry,
    control,
    files,
  })
  writeDurably(join(folder, MANIFEST_FILE), `${JSON.stringify(manifest, null, 2)}\n`)
  if (secrets.length > 0) syncFolder(join(folder, SECRETS_FOLDER))
  return manifest
}

/**
 * First telemetry's moment, then at once control's: whatever project or key telemetry knows was in control before. The small
 * file is copied first, so that its moment need not be held for long.
 */
async function copyDatabases(options: BackupOptions, folder: string): Promise<Record<'telemetry' | 'control', DatabaseFacts>> {
  const { dataDir } = options
  const telemetry = openDatabase(join(dataDir, 'telemetry.db'), { role: 'reader' })
  try {
    const control = openDatabase(join(dataDir, 'control.db'), { role: 'reader' })
    try {
      holdMoment(telemetry)
      holdMoment(control)
      const facts = { telemetry: readFacts(telemetry, 'telemetry.db'), control: readFacts(control, 'control.db') }
      refuseUnknownProjects(telemetry, control)
      await copyDatabase(control, 'control.db', options, folder, facts.control)
      await copyDatabase(telemetry, 'telemetry.db', options, folder, facts.telemetry)
      return facts
    } finally {
      control.close()
    }
  } finally {
    telemetry.close()
  }
}

/** The first read of a transaction fixes what all of it sees. */
function holdMoment(db: SqliteDatabase): void {
  db.exec('begin')
  db.prepare('select count(*) from sqlite_master').get()
}

async function copyDatabase(
  source: SqliteDatabase,
  name: DatabaseFile,
  { onProgress }: BackupOptions,
  folder: string,
  facts: DatabaseFacts,
): Promise<void> {
  const path = join(folder, name)
  const pageBytes = source.pragma('page_size', { simple: true }) as number
  await source.backup(path, {
    progress: ({ totalPages, remainingPages }) => {
      onProgress(name, (totalPages - remainingPages) * pageBytes, totalPages * pageBytes)
      return PAGES_PER_STEP
    },
  })
  source.exec('rollback')
  verifyCopy(path, name, facts)
  settleFile(path)
}

/** What was copied is sound, and the state that was meant; afterwards it is one file that needs no log. */
function verifyCopy(path: string, name: DatabaseFile, facts: DatabaseFacts): void {
  const copy = openDatabase(path, { role: 'writer' })
  try {
    copy.pragma('journal_mode = DELETE')
    refuseDamaged(copy, name)
    if (JSON.stringify(readFacts(copy, name)) !== JSON.stringify(facts))
      throw new ExitError(FOLDER_EXIT.damaged, `the copy of ${name} is not what was read`)
  } finally {
    copy.close()
  }
}

/** Names of the files, below the data folder. */
function copySecrets(from: string, to: string): string[] {
  const names = existsSync(from) ? readdirSync(from).sort() : []
  const files = names.filter((name) => isRegularFile(join(from, name)) && isFileOfSet(`${SECRETS_FOLDER}/${name}`))
  if (files.length === 0) return []
  if (files.length > SECRET_FILES_MAX || files.some((name) => statSync(join(from, name)).size > SECRET_MAX_BYTES))
    throw new ExitError(FOLDER_EXIT.damaged, `${from} holds more than secrets: ${basename(files.at(-1)!)}`)
  mkdirSync(to, { mode: 0o700 })
  for (const name of files) copyWithSum(join(from, name), join(to, name))
  return files.map((name) => `${SECRETS_FOLDER}/${name}`)
}
