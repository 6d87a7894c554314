import { existsSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { readStoredControl } from '@loopkit/shared/database/control/guard-control'
import { readCommitMark } from '@loopkit/shared/database/guard/commit-mark'
import {
  DATABASES,
  type DatabaseName,
  type DataLoss,
  describeDataLoss,
  readDataLosses,
} from '@loopkit/shared/database/guard/data-loss'
import { checkDatabasePlace } from '@loopkit/shared/database/guard/database-place'
import { FolderInUseError, takeFolder } from '@loopkit/shared/database/guard/folder-lock'
import { judgeLoss } from '@loopkit/shared/database/guard/judge-loss'
import { openDatabase, type SqliteDatabase } from '@loopkit/shared/database/open'
import { readStoredTelemetry } from '@loopkit/shared/database/telemetry/guard-telemetry'
import { readFacts } from '../backup/database-facts.ts'
import { ExitError, FOLDER_EXIT } from '../exit-error.ts'
import { checkSegments } from './check-segments.ts'

export interface Checkup {
  data_dir: string
  services: { collector: boolean; analyzer: boolean }
  databases: DatabaseState[]
  losses: DataLoss[]
  findings: Finding[]
}

export interface DatabaseState {
  name: string
  mb: number
  log_mb: number
  schema: number
  last_commit: number
  last_at: string | null
}

/** `loss`: commits that are gone and that nobody has taken note of. */
export interface Finding {
  kind: 'damaged' | 'loss'
  text: string
}

const MB = 1024 ** 2

/** Looks, and changes nothing. `isThorough`: also every page and every segment, which takes seconds for each gigabyte. */
export function examine(dataDir: string, isThorough: boolean, nowMs: number): Checkup {
  if (!existsSync(dataDir))
    throw new ExitError(FOLDER_EXIT.nothingThere, `there is no data folder ${dataDir}; set LOOPKIT_DATA_DIR`)
  const checkup: Checkup = {
    data_dir: dataDir,
    services: { collector: runs(dataDir, 'collector'), analyzer: runs(dataDir, 'analyzer') },
    databases: [],
    losses: DATABASES.flatMap((name) => readDataLosses(dataDir, name)),
    findings: [],
  }
  for (const loss of checkup.losses)
    if (loss.acknowledged_at === null) checkup.findings.push({ kind: 'loss', text: describeDataLoss(loss) })
  for (const name of DATABASES) examineDatabase(checkup, join(dataDir, name), name, isThorough, nowMs)
  return checkup
}

function runs(dataDir: string, service: 'collector' | 'analyzer'): boolean {
  if (!existsSync(join(dataDir, 'run', `${service}.lock`))) return false
  try {
    takeFolder(dataDir, service)()
    return false
  } catch (error) {
    if (error instanceof FolderInUseError) return true
    throw error
  }
}

function examineDatabase(checkup: Checkup, path: string, name: DatabaseName, isThorough: boolean, nowMs: number): void {
  const note = (kind: Finding['kind'], text: string) => void checkup.findings.push({ kind, text })
  let db: SqliteDatabase | null = null
  try {
    const mark = readCommitMark(path)
    if (checkDatabasePlace(path, mark) === 'absent') return
    db = openDatabase(path, { role: 'reader' })
    const { schema, last_commit, last_at } = readFacts(db, name)
    checkup.databases.push({ name, mb: megabytes(path), log_mb: megabytes(`${path}-wal`), schema, last_commit, last_at })
    const loss = judgeLoss(name, mark, name === 'telemetry.db' ? readStoredTelemetry(db) : readStoredControl(db, mark), nowMs)
    const isKnown = checkup.losses.some(({ database, to_commit }) => database === name && to_commit === loss?.to_commit)
    if (loss !== null && !isKnown) note('loss', `${describeDataLoss(loss)}; the next start puts it on record`)
    if (isThorough) checkWhole(db, name, note)
  } catch (error) {
    if (error instanceof ExitError && error.exitCode === FOLDER_EXIT.newer) throw error
    note('damaged', explain(path, error as Error))
  } finally {
    db?.close()
  }
}

function checkWhole(db: SqliteDatabase, name: DatabaseName, note: (kind: Finding['kind'], text: string) => void): void {
  const [first] = db.pragma('integrity_check(1)') as { integrity_check: string }[]
  if (first?.integrity_check !== 'ok') note('damaged', `${name}: ${first?.integrity_check.split('\n')[0]}`)
  if (name === 'telemetry.db') for (const damage of checkSegments(db)) note('damaged', damage)
}

function explain(path: string, error: Error): string {
  const { code } = error as { code?: string }
  return code === undefined ? error.message : `${basename(path)}: ${error.message} (${code})`
}

function megabytes(path: string): number {
  const bytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  return Math.round((bytes / MB) * 10) / 10
}
