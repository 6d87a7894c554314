import { chownSync, existsSync, lstatSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { layCommitMark } from '@loopkit/shared/database/guard/commit-mark'
import { RESTORE_UNFINISHED_FILE } from '@loopkit/shared/database/guard/database-place'
import { FolderInUseError, type Service, takeFolder } from '@loopkit/shared/database/guard/folder-lock'
import { createFolder } from '@loopkit/shared/runtime/data-folder'
import { syncFolder, writeDurably } from '@loopkit/shared/runtime/durable-file'
import { ExitError, FOLDER_EXIT } from '../exit-error.ts'
import { markOf } from './database-facts.ts'
import type { BackupManifest } from './manifest.ts'
import { stageSet } from './stage-set.ts'

export interface RestoreOptions {
  dataDir: string
  /** A folder or a `.tar` file that `backUp` wrote. */
  source: string
  /** Move what lies in the data folder aside. */
  force: boolean
  nowMs: number
  pid: number
}

export interface Restored {
  manifest: BackupManifest
  /** Where what lay there before lies now. */
  movedTo: string | null
}

const SERVICES: readonly Service[] = ['collector', 'analyzer']
const ASIDE = 'before-restore-'
const STAGING = '.restoring-'
/** What may lie in a folder that counts as empty: run files, what an earlier restore moved aside, a disk's own folder. */
const NO_CONTENT = /^(run|lost\+found|before-restore-.*|\.restoring-.*|restore\.unfinished(\.draft)?)$/

/**
 * Puts a backup in place of an instance that does not run. The set is checked whole before anything is touched; what lies in the
 * folder is moved aside, never removed. Cut off in between, the services refuse the folder until it is done again.
 */
export function restore({ dataDir, source, force, nowMs, pid }: RestoreOptions): Restored {
  if (!existsSync(source)) throw new ExitError(FOLDER_EXIT.nothingThere, `there is no backup at ${source}`)
  createFolder(dataDir)
  const releases = takeAll(dataDir)
  const staging = join(dataDir, `${STAGING}${pid}`)
  try {
    const isAnew = existsSync(join(dataDir, RESTORE_UNFINISHED_FILE))
    if (!force && !isAnew) refuseContent(dataDir)
    rmSync(staging, { recursive: true, force: true })
    mkdirSync(staging, { mode: 0o700 })
    const manifest = stageSet(source, staging)
    const movedTo = putInPlace(dataDir, staging, manifest, nowMs)
    giveToOwner(dataDir)
    return { manifest, movedTo }
  } finally {
    rmSync(staging, { recursive: true, force: true })
    for (const release of releases) release()
  }
}

function takeAll(dataDir: string): (() => void)[] {
  const releases: (() => void)[] = []
  try {
    for (const service of SERVICES) releases.push(takeFolder(dataDir, service))
    return releases
  } catch (error) {
    for (const release of releases) release()
    if (!(error instanceof FolderInUseError)) throw error
    throw new ExitError(FOLDER_EXIT.inUse, `${SERVICES[releases.length]} runs on ${dataDir}; stop it first`)
  }
}

function contentOf(dataDir: string): string[] {
  return readdirSync(dataDir).filter((name) => !NO_CONTENT.test(name))
}

function refuseContent(dataDir: string): void {
  const [first] = contentOf(dataDir)
  if (first !== undefined)
    throw new ExitError(
      FOLDER_EXIT.cannotCreate,
      `${dataDir} is not empty (${first}); --force moves what is there into a folder "${ASIDE}…" beside it`,
    )
}

/** The steps in between are told by a file that services refuse: none of them sees half of an instance. */
function putInPlace(dataDir: string, staging: string, manifest: BackupManifest, nowMs: number): string | null {
  const unfinished = join(dataDir, RESTORE_UNFINISHED_FILE)
  writeDurably(unfinished, `restoring the backup of ${manifest.created_at}\n`)
  const before = contentOf(dataDir)
  const aside = join(dataDir, `${ASIDE}${new Date(nowMs).toISOString().replace(/[:.]/g, '')}`)
  if (before.length > 0) {
    mkdirSync(aside, { mode: 0o700, recursive: true })
    for (const name of before) renameSync(join(dataDir, name), join(aside, name))
    syncFolder(aside)
  }
  for (const name of readdirSync(staging)) renameSync(join(staging, name), join(dataDir, name))
  for (const name of ['telemetry', 'control'] as const) layCommitMark(join(dataDir, `${name}.db`), markOf(manifest[name]))
  syncFolder(dataDir)
  rmSync(unfinished)
  syncFolder(dataDir)
  return before.length > 0 ? aside : null
}

/** Run by root for a service of another user: the files belong to whom the folder belongs. */
function giveToOwner(dataDir: string): void {
  if (process.getuid?.() !== 0) return
  const { uid, gid } = statSync(dataDir)
  if (uid === 0) return
  for (const name of readdirSync(dataDir, { recursive: true, encoding: 'utf8' })) {
    const path = join(dataDir, name)
    if (!lstatSync(path).isSymbolicLink()) chownSync(path, uid, gid)
  }
}
