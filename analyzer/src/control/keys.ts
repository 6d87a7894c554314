import { sql } from 'kysely'
import { formatKey, KEY_BYTES, KEY_KINDS, type KeyKind } from '../domain/key.ts'
import { type FindKey, sha256 } from '../http/auth.ts'
import type { Caller } from '../http/request-facts.ts'
import type { Control, ControlDatabase, ControlQueries } from './control-database.ts'

/** A project's keys, in clear: they exist here and in one answer, nowhere else. */
export type IssuedKeys = Record<KeyKind, string>

/** How often a key's last use is written, in ms: a write costs a sync to disk. */
const LAST_USED_STEP_MS = 60_000

/** Looks a key up by its hash with one prepared statement; see `Authenticate` for what the answer means. */
export function createFindKey({ db, sqlite }: Control): FindKey {
  const { sql: text } = db
    .selectFrom('api_key')
    .innerJoin('project', 'project.project_no', 'api_key.project_no')
    .select(['api_key.key_id', 'api_key.key_hash', 'api_key.kind', 'api_key.scopes', 'api_key.revoked_at_ms'])
    .select(['api_key.expires_at_ms as key_expires_at_ms', 'project.expires_at_ms as project_expires_at_ms'])
    .select(['project.project_no', 'project.project_id', 'project.project_name', 'project.operator', 'project.tenant_id'])
    .select(['project.sandbox', 'project.deleted_at_ms'])
    .where('api_key.key_hash', '=', sql<Uint8Array>`?`)
    .compile()
  const statement = sqlite.prepare(text)
  return (keyHash) => {
    const row = statement.get(keyHash) as KeyRow | undefined
    return row ? toStoredKey(row) : null
  }
}

interface KeyRow {
  key_id: string
  key_hash: Uint8Array
  kind: Caller['kind']
  scopes: string
  revoked_at_ms: number | null
  key_expires_at_ms: number | null
  project_expires_at_ms: number | null
  project_no: number
  project_id: string
  project_name: string
  operator: string
  tenant_id: string
  sandbox: number
  deleted_at_ms: number | null
}

function toStoredKey(row: KeyRow): NonNullable<ReturnType<FindKey>> {
  return {
    keyHash: row.key_hash,
    projectNo: row.project_no,
    projectId: row.project_id,
    projectName: row.project_name,
    operator: row.operator,
    tenantId: row.tenant_id,
    keyId: row.key_id,
    kind: row.kind,
    scopes: row.scopes.split(' '),
    sandbox: row.sandbox === 1,
    keyExpiresAtMs: row.key_expires_at_ms,
    revokedAtMs: row.revoked_at_ms,
    projectDeleted: row.deleted_at_ms !== null,
    projectExpiresAtMs: row.project_expires_at_ms,
  }
}

/** On a full or read-only disk questions are still answered. */
const CANNOT_WRITE_NOW = /^SQLITE_(BUSY|FULL|READONLY|IOERR_WRITE)/

/** Writes the time of a key's use, at most once a minute. Best effort: a file that cannot be written only makes it older. */
export function createRecordUse({ sqlite }: Control): (caller: Caller, nowMs: number) => void {
  const statement = sqlite.prepare(
    'update api_key set last_used_at_ms = ? where key_id = ? and (last_used_at_ms is null or last_used_at_ms < ?)',
  )
  const due = sqlite.prepare('select 1 from api_key where key_id = ? and (last_used_at_ms is null or last_used_at_ms < ?)')
  return ({ keyId }, nowMs) => {
    const before = nowMs - LAST_USED_STEP_MS
    if (due.get(keyId, before) === undefined) return
    try {
      statement.run(nowMs, keyId, before)
    } catch (error) {
      if (!CANNOT_WRITE_NOW.test(String((error as { code?: unknown }).code))) throw error
    }
  }
}

export interface IssueDeps {
  db: ControlDatabase
  randomBytes: (size: number) => Uint8Array
}

/** Makes a project's three keys and stores their hashes. The caller's transaction decides whether they come to be. */
export function issueKeys({ db, randomBytes }: IssueDeps, queries: ControlQueries, projectNo: number, nowMs: number): IssuedKeys {
  const issue = (kind: KeyKind): string => {
    const key = formatKey(kind, randomBytes(KEY_BYTES))
    storeKey({ db, randomBytes }, queries, { projectNo, kind, key, nowMs })
    return key
  }
  return { producer: issue('producer'), agent: issue('agent'), dashboard: issue('dashboard') }
}

export interface KeyToStore {
  projectNo: number
  kind: KeyKind
  key: string
  nowMs: number
}

/** Key ids are random: they appear in logs and in the audit, and must not be counted through. */
const KEY_ID_BYTES = 9

export function storeKey(
  { db, randomBytes }: IssueDeps,
  queries: ControlQueries,
  { projectNo, kind, key, nowMs }: KeyToStore,
): void {
  const { prefix, scopes } = KEY_KINDS[kind]
  queries.run(
    db.insertInto('api_key').values({
      key_id: `key_${Buffer.from(randomBytes(KEY_ID_BYTES)).toString('hex')}`,
      project_no: projectNo,
      key_hash: sha256(key),
      prefix,
      last_four: key.slice(-4),
      kind,
      scopes: scopes.join(' '),
      created_at_ms: nowMs,
      expires_at_ms: null,
      revoked_at_ms: null,
      last_used_at_ms: null,
    }),
  )
}

/** Ends every key of a project that still works, the dashboard's included; returns how many. */
export function revokeKeys(db: ControlDatabase, queries: ControlQueries, projectNo: number, nowMs: number): number {
  return queries.run(
    db
      .updateTable('api_key')
      .set({ revoked_at_ms: nowMs })
      .where('project_no', '=', projectNo)
      .where('revoked_at_ms', 'is', null),
  )
}
