import { hash } from 'node:crypto'
import { controlMigrations } from '@loopkit/shared/database/control/migrations'
import { OWN_PROJECT_ID } from '@loopkit/shared/database/control/own-project'
import { isSchemaCurrent } from '@loopkit/shared/database/migrate'
import { openDatabase, type SqliteDatabase } from '@loopkit/shared/database/open'
import type { Clock } from '@loopkit/shared/runtime/clock'
import type { Credentials } from './credentials.ts'
import { createKeyMemo } from './key-memo.ts'
import { type Refusal, refused } from './outcome.ts'

/** Whose telemetry a request carries. */
export interface Caller {
  projectNo: number
  projectId: string
  /** SHA-256 of the key, or null for a request without one. */
  keyHash: Uint8Array | null
  /** null: no cap. */
  quotaSpans: number | null
}

export interface Authenticator {
  /** By what control.db says in this turn of the event loop. Never throws. */
  authenticate(credentials: Credentials, isLoopback: boolean): Caller | Refusal
  /** The instance's own project, for the product's own spans; null while there is none. Never throws. */
  findOwnProject(): Caller | null
  /** Why no key can be looked up, or null. */
  unavailableReason(): string | null
  close(): void
}

/** A main thread never waits longer than this for another process's lock, in ms. */
const BUSY_TIMEOUT_MS = 50
/** Time between two tries to open control.db, in ms: it may appear at any moment, but a stat per request is not free. */
const REOPEN_AFTER_MS = 200

/** Two look-ups by key: the same as a join took four times as long (measured, better-sqlite3 13.2, SQLite 3.54). */
const KEY_QUERY = 'select project_no, scopes, expires_at_ms, revoked_at_ms from api_key where key_hash = ?'
const PROJECT_QUERY =
  'select project_no, project_id, quota_spans, sandbox, expires_at_ms, deleted_at_ms from project where project_no = ?'
const KEYLESS_QUERY = `
  select project_no from project where project_name = ? and sandbox = 0 and deleted_at_ms is null
  order by operator, project_no limit 1`

type KeyColumns = [projectNo: number, scopes: string, expiresMs: number | null, revokedMs: number | null]
type ProjectColumns = [
  projectNo: number,
  projectId: string,
  quotaSpans: number | null,
  sandbox: number,
  expiresMs: number | null,
  deletedMs: number | null,
]

/** A key and its project, as control.db has them. */
export interface KeyRow {
  projectNo: number
  projectId: string
  quotaSpans: number | null
  isSandbox: boolean
  projectExpiresMs: number | null
  deletedMs: number | null
  scopes: string
  keyExpiresMs: number | null
  revokedMs: number | null
}

/** A key that was looked up. */
interface FoundKey {
  keyHash: Uint8Array
  row: KeyRow
}

interface OpenControl {
  db: SqliteDatabase
  findKey: (key: string) => FoundKey | undefined
  findKeyless: (name: string) => KeyRow | undefined
  findOwn: () => KeyRow | undefined
}

/**
 * Authentication against control.db, which the analyzer writes. What was found is good until the file changes, so a
 * revoked key is dead on the next request. While the file is absent every answer is `control_unavailable`.
 */
export function createAuthenticator(path: string, keylessProject: string | null, clock: Clock): Authenticator {
  let control: OpenControl | null = null
  let reason = 'control.db has not been opened yet'
  let triedAtMs = Number.NEGATIVE_INFINITY

  function open(): OpenControl | null {
    if (control || clock.monotonicMs() - triedAtMs < REOPEN_AFTER_MS) return control
    triedAtMs = clock.monotonicMs()
    try {
      control = openControl(path)
      if (!control) reason = 'control.db has a schema that this version does not read'
    } catch (error) {
      reason = `control.db cannot be opened: ${(error as { code?: string }).code ?? (error as Error).name}`
    }
    return control
  }

  function drop(error: unknown): void {
    reason = `control.db cannot be read: ${(error as { code?: string }).code ?? (error as Error).name}`
    control?.db.close()
    control = null
  }

  return {
    authenticate(credentials, isLoopback) {
      if (credentials.kind === 'ambiguous') return refused('ambiguous_credentials', 'more than one Authorization header')
      const keyless = credentials.kind === 'none' && isLoopback ? keylessProject : null
      if (credentials.kind === 'none' && keyless === null) return refused('missing_credentials', 'no Authorization header')
      const opened = open()
      if (!opened) return refused('control_unavailable', 'keys cannot be looked up yet')
      if (credentials.kind === 'wrong') return WRONG_KEY
      try {
        if (credentials.kind === 'key') {
          const found = opened.findKey(credentials.key)
          return found ? judgeKey(found.row, found.keyHash, clock.nowMs()) : WRONG_KEY
        }
        const row = opened.findKeyless(keyless!)
        return row ? judgeKey(row, null, clock.nowMs()) : NO_KEYLESS
      } catch (error) {
        drop(error)
        return refused('control_unavailable', 'keys cannot be looked up')
      }
    },
    findOwnProject() {
      try {
        const row = open()?.findOwn()
        return row ? { projectNo: row.projectNo, projectId: row.projectId, keyHash: null, quotaSpans: row.quotaSpans } : null
      } catch (error) {
        drop(error)
        return null
      }
    },
    unavailableReason: () => (open() ? null : reason),
    close: () => control?.db.close(),
  }
}

const WRONG_KEY = refused('invalid_api_key', 'the key is not valid')
const NO_KEYLESS = refused('missing_credentials', 'no Authorization header, and the keyless project does not exist')

/** What a key that was found may do. Revoked and expired keys answer like unknown ones. */
export function judgeKey(row: KeyRow, keyHash: Uint8Array | null, nowMs: number): Caller | Refusal {
  if (row.revokedMs !== null || (row.keyExpiresMs !== null && row.keyExpiresMs <= nowMs)) return WRONG_KEY
  if (row.deletedMs !== null) return refused('project_deleted', 'this project was deleted')
  if (!row.scopes.split(' ').includes('telemetry:write'))
    return refused('insufficient_scope', 'this key lacks the scope telemetry:write')
  if (row.isSandbox && row.projectExpiresMs !== null && row.projectExpiresMs <= nowMs)
    return refused('sandbox_expired', 'this sandbox has ended; recover or upgrade it')
  return { projectNo: row.projectNo, projectId: row.projectId, keyHash, quotaSpans: row.quotaSpans }
}

function openControl(path: string): OpenControl | null {
  const db = openDatabase(path, { role: 'reader', busyTimeoutMs: BUSY_TIMEOUT_MS })
  try {
    if (!isSchemaCurrent(db, controlMigrations)) {
      db.close()
      return null
    }
    const key = db.prepare(KEY_QUERY).raw()
    const project = db.prepare(PROJECT_QUERY).raw()
    const keyless = db.prepare(KEYLESS_QUERY).pluck()
    const version = db.prepare('pragma data_version').pluck()
    const own = db.prepare('select project_no from project where project_id = ? and deleted_at_ms is null').pluck()
    const withProject = ([projectNo, scopes, keyExpiresMs, revokedMs]: KeyColumns): KeyRow | undefined => {
      const found = project.get(projectNo) as ProjectColumns | undefined
      if (!found) return undefined
      const [, projectId, quotaSpans, sandbox, projectExpiresMs, deletedMs] = found
      const isSandbox = sandbox === 1
      return { projectNo, projectId, quotaSpans, isSandbox, projectExpiresMs, deletedMs, scopes, keyExpiresMs, revokedMs }
    }
    const withoutKey = (projectNo: number | undefined) =>
      projectNo === undefined ? undefined : withProject([projectNo, 'telemetry:write', null, null])
    const memo = createKeyMemo({
      find(presented: string): FoundKey | undefined {
        const keyHash = hash('sha256', presented, 'buffer') as Uint8Array
        const found = key.get(keyHash) as KeyColumns | undefined
        const row = found && withProject(found)
        return row && { keyHash, row }
      },
      readVersion: () => version.get() as number,
      onTurnEnd: setImmediate,
    })
    return {
      db,
      findKey: memo.get,
      findKeyless: (name) => withoutKey(keyless.get(name) as number | undefined),
      findOwn: () => withoutKey(own.get(OWN_PROJECT_ID) as number | undefined),
    }
  } catch (error) {
    db.close()
    throw error
  }
}
