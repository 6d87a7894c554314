import type { CommitMark } from './commit-mark.ts'
import type { DatabaseName, DataLoss } from './data-loss.ts'

/** What a database says of itself. */
export interface StoredCommits {
  /** null in a file that was made before stores had names. */
  store: string | null
  commit: number
  atMs: number
}

/** What the mark says was stored and the database does not hold, or null. */
export function judgeLoss(
  database: DatabaseName,
  mark: CommitMark | null,
  { store, commit, atMs }: StoredCommits,
  nowMs: number,
): DataLoss | null {
  if (mark === null || mark.number === 0) return null
  const isOther = store !== null && store !== mark.store
  if (!isOther && commit >= mark.number) return null
  const isFromStart = isOther || commit === 0
  return {
    database,
    from_commit: isFromStart ? 1 : commit + 1,
    to_commit: mark.number,
    after_at: isFromStart || atMs === 0 ? null : toIso(atMs),
    until_at: mark.atMs === 0 ? null : toIso(mark.atMs),
    detected_at: toIso(nowMs),
    acknowledged_at: null,
    acknowledged_by: null,
  }
}

/** Later than any date that can be written. */
const DATE_MAX_MS = 8.64e15

function toIso(ms: number): string {
  return new Date(Math.min(ms, DATE_MAX_MS)).toISOString()
}
