import { existsSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { openDatabase, type SqliteDatabase } from '@loopkit/shared/database/open'
import { syncFolder } from '@loopkit/shared/runtime/durable-file'
import { ExitError, FOLDER_EXIT } from '../exit-error.ts'
import { type DatabaseFile, readFacts, refuseDamaged, refuseUnknownProjects } from './database-facts.ts'
import { copyWithSum, type FileSum, isRegularFile, sumOf } from './files.ts'
import { type BackupFile, type BackupManifest, isFileOfSet, MANIFEST_FILE, parseManifest, SECRETS_FOLDER } from './manifest.ts'
import { unpackTar } from './tar.ts'

/**
 * Copies a backup's files into an empty folder, each checked on the way, and looks whether they are one sound set. Throws
 * ExitError where they are not; nothing else was touched then. The manifest itself does not stay there.
 */
export function stageSet(source: string, staging: string): BackupManifest {
  const manifest = statSync(source).isDirectory() ? stageFolder(source, staging) : stageArchive(source, staging)
  const databases = { 'telemetry.db': openStaged(staging, 'telemetry.db'), 'control.db': openStaged(staging, 'control.db') }
  try {
    for (const name of ['telemetry.db', 'control.db'] as const) {
      refuseDamaged(databases[name], name)
      refuseOtherState(databases[name], name, manifest)
    }
    refuseUnknownProjects(databases['telemetry.db'], databases['control.db'])
  } finally {
    for (const db of Object.values(databases)) db.close()
  }
  syncFolder(staging)
  if (existsSync(join(staging, SECRETS_FOLDER))) syncFolder(join(staging, SECRETS_FOLDER))
  return manifest
}

function stageFolder(source: string, staging: string): BackupManifest {
  const path = join(source, MANIFEST_FILE)
  if (!isRegularFile(path)) throw withoutManifest(source, existsSync(join(source, 'telemetry.db')))
  const manifest = parseManifest(readFileSync(path, 'utf8'))
  for (const file of manifest.files) {
    const from = join(source, file.path)
    if (!isRegularFile(from)) throw partial(file)
    mkdirSync(dirname(join(staging, file.path)), { mode: 0o700, recursive: true })
    refuseOther(copyWithSum(from, join(staging, file.path)), file, join(staging, file.path), manifest)
  }
  return manifest
}

function stageArchive(source: string, staging: string): BackupManifest {
  const names = unpackTar(source, (name) => {
    if (name !== MANIFEST_FILE && !isFileOfSet(name)) return null
    mkdirSync(dirname(join(staging, name)), { mode: 0o700, recursive: true })
    return join(staging, name)
  })
  const path = join(staging, MANIFEST_FILE)
  if (!names.includes(MANIFEST_FILE)) throw withoutManifest(source, names.length > 0)
  const manifest = parseManifest(readFileSync(path, 'utf8'))
  rmSync(path)
  for (const file of manifest.files) {
    const staged = join(staging, file.path)
    if (!names.includes(file.path)) throw partial(file)
    refuseOther(sumOf(staged), file, staged, manifest)
  }
  const stray = names.find((name) => name !== MANIFEST_FILE && !manifest.files.some(({ path: known }) => known === name))
  if (stray !== undefined)
    throw new ExitError(FOLDER_EXIT.damaged, `backup_mixed: ${stray} is in the archive and not in its manifest`)
  return manifest
}

/** A file of another sum is damaged, or a sound one of another backup: a person wants to know which. */
function refuseOther(sum: FileSum, file: BackupFile, staged: string, manifest: BackupManifest): void {
  if (sum.sha256 === file.sha256 && sum.bytes === file.bytes) return
  if (file.path === 'telemetry.db' || file.path === 'control.db') {
    let db: SqliteDatabase | null = null
    try {
      db = openDatabase(staged, { role: 'reader' })
      refuseDamaged(db, file.path)
      refuseOtherState(db, file.path, manifest)
    } catch (error) {
      if (error instanceof ExitError && error.message.startsWith('backup_mixed')) throw error
    } finally {
      db?.close()
    }
  }
  const what = sum.bytes === file.bytes ? 'its content was altered' : `it has ${sum.bytes} bytes instead of ${file.bytes}`
  throw new ExitError(FOLDER_EXIT.damaged, `backup_damaged: ${file.path}: ${what}`)
}

function refuseOtherState(db: SqliteDatabase, name: DatabaseFile, manifest: BackupManifest): void {
  const expected = name === 'telemetry.db' ? manifest.telemetry : manifest.control
  const found = readFacts(db, name)
  if (JSON.stringify(found) === JSON.stringify(expected)) return
  throw new ExitError(
    FOLDER_EXIT.damaged,
    `backup_mixed: ${name} is of another backup: it holds ${found.last_commit} commits until ${found.last_at}, the manifest says ${expected.last_commit} until ${expected.last_at}`,
  )
}

function openStaged(staging: string, name: DatabaseFile): SqliteDatabase {
  return openDatabase(join(staging, name), { role: 'reader' })
}

function withoutManifest(source: string, hasFiles: boolean): ExitError {
  return hasFiles
    ? new ExitError(
        FOLDER_EXIT.damaged,
        `backup_partial: ${source} has no ${MANIFEST_FILE}: the backup was not finished, or is no backup`,
      )
    : new ExitError(FOLDER_EXIT.nothingThere, `there is no backup at ${source}: it has no ${MANIFEST_FILE}`)
}

function partial({ path }: BackupFile): ExitError {
  return new ExitError(FOLDER_EXIT.damaged, `backup_partial: ${path} is missing`)
}
