import { OWN_PROJECT_ID } from '@loopkit/shared/database/control/own-project'
import { formatKey, KEY_BYTES } from '../domain/key.ts'
import { sha256 } from '../http/auth.ts'
import type { Control, ControlQueries } from './control-database.ts'
import { storeKey } from './keys.ts'

export interface InternalKeyDeps {
  control: Control
  nowMs: () => number
  randomBytes: (size: number) => Uint8Array
}

export interface InternalKey {
  /** The key, minted on first use. It is kept in memory only. */
  get(): string
  /** Ends it; nothing happens where none was minted. */
  revoke(): void
}

/** The instance's own project. No caller can name it: names of operators are taken without the blank in front. */
const OWN_PROJECT = { project_id: OWN_PROJECT_ID, tenant_id: 'instance', project_name: 'loopkit', operator: ' loopkit' }

/** A producer key of the instance's own project, for the product's own spans (write-path.md §8). */
export function createInternalKey({ control, nowMs, randomBytes }: InternalKeyDeps): InternalKey {
  const { db } = control
  let minted: string | null = null
  const mint = (): string => {
    const key = formatKey('producer', randomBytes(KEY_BYTES))
    control.transaction((transaction) => {
      const projectNo = ownProjectNo(control, transaction, nowMs())
      transaction.run(db.deleteFrom('api_key').where('project_no', '=', projectNo).where('revoked_at_ms', 'is not', null))
      storeKey({ db, randomBytes }, transaction, { projectNo, kind: 'producer', key, nowMs: nowMs() })
    })
    return key
  }
  return {
    get: () => {
      minted ??= mint()
      return minted
    },
    revoke: () => {
      if (minted === null) return
      control.run(db.updateTable('api_key').set({ revoked_at_ms: nowMs() }).where('key_hash', '=', sha256(minted)))
      minted = null
    },
  }
}

function ownProjectNo({ db }: Control, transaction: ControlQueries, nowMs: number): number {
  const find = db.selectFrom('project').select('project_no').where('project_id', '=', OWN_PROJECT.project_id)
  const known = transaction.first(find)
  if (known) return known.project_no
  const none = { quota_spans: null, expires_at_ms: null, retention_days: null, deleted_at_ms: null }
  const insert = db.insertInto('project').values({ ...OWN_PROJECT, ...none, sandbox: 0, created_at_ms: nowMs })
  return transaction.first(insert.returning('project_no'))?.project_no as number
}
