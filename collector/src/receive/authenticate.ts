import { hash } from 'node:crypto'
import { controlMigrations } from '@loopkit/shared/database/control/migrations'
import { isSchemaCurrent } from '@loopkit/shared/database/migrate'
import { openDatabase, type SqliteDatabase } from '@loopkit/shared/database/open'
import type { Clock } from '@loopkit/shared/runtime/clock'
import type { Credentials } from './credentials.ts'
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
  /** Looks the key up in control.db, on every call. Never throws. */
  authenticate(credentials: Credentials, isLoopback: boolean): Caller | Refusal
  /** Why no key can be looked up, or null. */
  unavailableReason(): string | null
  close(): void
}

/** A main thread never waits longer than this for another process's lock, in ms. */
const BUSY_TIMEOUT_MS = 50
/** Time between two tries to open control.db, in ms: it may appear at any moment, but a stat per request is not free. */
const REOPEN_AFTER_MS = 200

const KEY_QUERY = `
  select p.project_no, p.project_id, p.quota_spans, p.sandbox, p.expires_at_ms as project_expires_ms, p.deleted_at_ms,
         k.scopes, k.expires_at_ms as key_expires_ms, k.revoked_at_ms
  from api_key k join project p on p.project_no = k.project_no where k.key_hash = ?`
const KEYLESS_QUERY = `
  select project_no, project_id, quota_spans, sandbox, expires_at_ms as project_expires_ms, deleted_at_ms,
         'telemetry:write' as scopes, null as key_expires_ms, null as revoked_at_ms
  from project where project_name = ? and sandbox = 0 and deleted_at_ms is null order by operator, project_no limit 1`

interface KeyRow {
  project_no: number
  project_id: string
  quota_spans: number | null
  sandbox: number
  project_expires_ms: number | null
  deleted_at_ms: number | null
  scopes: string
  key_expires_ms: number | null
  revoked_at_ms: number | null
}

interface OpenControl {
  db: SqliteDatabase
  findKey: (keyHash: Uint8Array) => KeyRow | undefined
  findKeyless: (name: string) => KeyRow | undefined
}

/**
 * Authentication against control.db, which the analyzer writes. Nothing is cached: a lookup costs microseconds, and a
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
      const keyHash = credentials.kind === 'key' ? (hash('sha256', credentials.key, 'buffer') as Uint8Array) : null
      try {
        const row = keyHash ? opened.findKey(keyHash) : opened.findKeyless(keyless!)
        return row ? judgeKey(row, keyHash, clock.nowMs()) : keyHash ? WRONG_KEY : NO_KEYLESS
      } catch (error) {
        drop(error)
        return refused('control_unavailable', 'keys cannot be looked up')
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
  if (row.revoked_at_ms !== null || (row.key_expires_ms !== null && row.key_expires_ms <= nowMs)) return WRONG_KEY
  if (row.deleted_at_ms !== null) return refused('project_deleted', 'project_deleted: this project was deleted')
  if (!row.scopes.split(' ').includes('telemetry:write'))
    return refused('insufficient_scope', 'insufficient_scope: this key lacks the scope telemetry:write')
  if (row.sandbox === 1 && row.project_expires_ms !== null && row.project_expires_ms <= nowMs)
    return refused('sandbox_expired', 'sandbox_expired: this sandbox has ended; recover or upgrade it')
  return { projectNo: row.project_no, projectId: row.project_id, keyHash, quotaSpans: row.quota_spans }
}

function openControl(path: string): OpenControl | null {
  const db = openDatabase(path, { role: 'reader', busyTimeoutMs: BUSY_TIMEOUT_MS })
  try {
    if (!isSchemaCurrent(db, controlMigrations)) {
      db.close()
      return null
    }
    const key = db.prepare(KEY_QUERY)
    const keyless = db.prepare(KEYLESS_QUERY)
    return {
      db,
      findKey: (keyHash) => key.get(keyHash) as KeyRow | undefined,
      findKeyless: (name) => keyless.get(name) as KeyRow | undefined,
    }
  } catch (error) {
    db.close()
    throw error
  }
}
