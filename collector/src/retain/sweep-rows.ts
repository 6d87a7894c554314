import { forgetWords } from '../write/dictionary.ts'
import { type RemovedRows, removeEach } from './remove-rows.ts'
import type { RetainedStore } from './retained-store.ts'

/** Rows that a sweep looks at between two turns. */
const ROWS_PER_LOOK = 2_000
/** A session's failures may be decided a while after its last span arrived. */
const SESSION_GRACE_MS = 86_400_000

/** Sessions whose traces are all gone. The threads that number sessions are told to ask again. */
export function* sweepSessions(store: RetainedStore, projectNo: number, beforeMs: number): Generator<RemovedRows> {
  const { db, statement } = store
  const isEmpty = 'not exists (select 1 from session_trace t where t.project_no = s.project_no and t.session_no = s.session_no)'
  const look = statement(`
    select session_no, first_seen_ms < ? and ${isEmpty} as unused from session s where project_no = ? and session_no > ?
    order by session_no limit ${ROWS_PER_LOOK}`)
  // Looked at again under the lock: a span of the session may have come.
  const remove = statement(`delete from session as s where session_no = ? and ${isEmpty}`)
  const forget = forgetWords(db)
  let rows: { session_no: number; unused: number }[]
  let behind = 0
  do {
    rows = look.all(beforeMs - SESSION_GRACE_MS, projectNo, behind) as typeof rows
    const unused = rows.filter((row) => row.unused === 1)
    yield* removeEach(store, 'session', unused, ({ session_no }) => {
      const { changes } = remove.run(session_no)
      if (changes > 0) forget()
      return changes
    })
    yield { table: 'session', rows: 0 }
    behind = rows.at(-1)?.session_no ?? behind
  } while (rows.length === ROWS_PER_LOOK)
}

/** Fingerprints that no count names any more. The decider looks them up each time, on this very thread. */
export function* sweepFingerprints(store: RetainedStore, projectNo: number, beforeMs: number): Generator<RemovedRows> {
  const unused = store.db
    .prepare(`
      select fingerprint_no from fingerprint f where project_no = ? and first_seen_ms < ?
        and fingerprint_no not in (select fingerprint_no from failure_count where project_no = ?)
        and not exists (select 1 from decided_failure d where d.fingerprint_no = f.fingerprint_no)`)
    .pluck()
    .all(projectNo, beforeMs, projectNo) as number[]
  const remove = store.statement('delete from fingerprint where fingerprint_no = ?')
  const forget = store.statement('delete from fingerprint_alias where fingerprint_no = ?')
  yield* removeEach(store, 'fingerprint', unused, (no) => forget.run(no).changes + remove.run(no).changes)
}
