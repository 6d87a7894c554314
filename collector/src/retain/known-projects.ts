import { openDatabase, type SqliteDatabase } from '@loopkit/shared/database/open'
import type { KnownProject } from './retention-terms.ts'

/** Projects in control.db, which the analyzer writes and this process only reads. */
export interface KnownProjects {
  /** null while control.db cannot be read: then nobody knows how long anything is to be kept. */
  list(): KnownProject[] | null
  /** Hashes of the keys of a project. */
  keyHashes(projectNo: number): Uint8Array[]
  close(): void
}

interface ProjectRow {
  project_no: number
  retention_days: number | null
  deleted_at_ms: number | null
}

export function createKnownProjects(path: string): KnownProjects {
  let control: SqliteDatabase | null = null

  function read<T>(ask: (db: SqliteDatabase) => T): T | null {
    try {
      control ??= openDatabase(path, { role: 'reader' })
      return ask(control)
    } catch {
      control?.close()
      control = null
      return null
    }
  }

  return {
    list: () =>
      read((db) => {
        const rows = db.prepare('select project_no, retention_days, deleted_at_ms from project').all() as ProjectRow[]
        return rows.map(({ project_no, retention_days, deleted_at_ms }) => ({
          projectNo: project_no,
          retentionDays: retention_days,
          isDeleted: deleted_at_ms !== null,
        }))
      }),
    keyHashes: (projectNo) =>
      read((db) => db.prepare('select key_hash from api_key where project_no = ?').pluck().all(projectNo) as Uint8Array[]) ?? [],
    close: () => control?.close(),
  }
}
