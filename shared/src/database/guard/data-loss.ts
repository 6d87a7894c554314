import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { writeDurably } from '../../runtime/durable-file.ts'
import { DatabaseDamagedError } from './database-place.ts'

/** Commits that were acknowledged and are not in the database. Kept until a person has seen it, and after. */
export interface DataLoss {
  /** Name of the database. */
  database: string
  /** First and last commit that are gone. */
  from_commit: number
  to_commit: number
  /** Between these two times the lost commits arrived; null where that is not known. */
  after_at: string | null
  until_at: string | null
  detected_at: string
  acknowledged_at: string | null
  acknowledged_by: string | null
}

export const DATABASES = ['telemetry.db', 'control.db'] as const
export type DatabaseName = (typeof DATABASES)[number]

/** Oldest ones go first. */
const LOSSES_MAX = 100

function pathOf(dataDir: string, database: DatabaseName): string {
  return join(dataDir, database.replace('.db', '.loss.json'))
}

export function readDataLosses(dataDir: string, database: DatabaseName): DataLoss[] {
  const path = pathOf(dataDir, database)
  try {
    return (JSON.parse(readFileSync(path, 'utf8')) as { losses: DataLoss[] }).losses
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw new DatabaseDamagedError(`${path} cannot be read (${(error as Error).message})`)
  }
}

/** Keeps it on disk. One that is known already, from a start that ended in between, is not told twice: null. */
export function recordDataLoss(dataDir: string, loss: DataLoss): DataLoss | null {
  const database = loss.database as DatabaseName
  const known = readDataLosses(dataDir, database)
  if (known.some((before) => isSameLoss(before, loss))) return null
  write(dataDir, database, [...known, loss])
  return loss
}

export function isSameLoss(a: DataLoss, b: DataLoss): boolean {
  return a.from_commit === b.from_commit && a.to_commit === b.to_commit && a.until_at === b.until_at
}

/** Answers those that were not acknowledged before. */
export function acknowledgeDataLosses(dataDir: string, database: DatabaseName, at: string, by: string): DataLoss[] {
  const known = readDataLosses(dataDir, database)
  const open = known.filter(({ acknowledged_at }) => acknowledged_at === null)
  if (open.length === 0) return []
  const acknowledged = known.map((loss) =>
    loss.acknowledged_at === null ? { ...loss, acknowledged_at: at, acknowledged_by: by } : loss,
  )
  write(dataDir, database, acknowledged)
  return acknowledged.filter((_, position) => known[position]!.acknowledged_at === null)
}

/** In one line, for logs, `/readyz` and terminals. */
export function describeDataLoss({ database, from_commit, to_commit, after_at, until_at }: DataLoss): string {
  const what = database === 'control.db' ? 'change' : 'commit'
  const commits = from_commit === to_commit ? `${what} ${from_commit}` : `${what}s ${from_commit} to ${to_commit}`
  const between =
    until_at === null ? '' : after_at === null ? `, received until ${until_at},` : `, received from ${after_at} to ${until_at},`
  return `data_loss_detected: ${commits} of ${basename(database)}${between} were stored and are gone`
}

function write(dataDir: string, database: DatabaseName, losses: readonly DataLoss[]): void {
  writeDurably(pathOf(dataDir, database), `${JSON.stringify({ losses: losses.slice(-LOSSES_MAX) }, null, 2)}\n`)
}
