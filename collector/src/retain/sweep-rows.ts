import { forgetWords } from '../write/dictionary.ts'
import { type RemovedRows, removeEach } from './remove-rows.ts'
import type { RetainedStore } from './retained-store.ts'

/** Rows that a sweep looks at between two turns. */
const ROWS_PER_LOOK = 2_000
/** A session's failures may be decided a while after its last span arrived. */
const SESSION_GRACE_MS = 86_400_000

/** Decided traces have no index by time: all of a project's are looked at, a part each turn. */
export function* sweepDecidedTraces(store: RetainedStore, projectNo: number, beforeMs: number): Generator<RemovedRows> {
  const look = store
    .statement(`
      select trace_hash, decided_ms from decided_trace where project_no = ? and trace_hash > ?
      order by trace_hash limit ${ROWS_PER_LOOK}`)
    .safeIntegers()
  const remove = store.statement('delete from decided_trace where project_no = ? and trace_hash = ?')
  let rows: { trace_hash: bigint; decided_ms: bigint }[]
  let behind = -(2n ** 63n)
  do {
    rows = look.all(projectNo, behind) as typeof rows
    const old = rows.filter(({ decided_ms }) => decided_ms < beforeMs)
    yield* removeEach(store, 'decided_trace', old, ({ trace_hash }) => remove.run(projectNo, trace_hash).changes)
    yield { table: 'decided_trace', rows: 0 }
    behind = rows.at(-1)?.trace_hash ?? behind
  } while (rows.length === ROWS_PER_LOOK)
}

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
      select fingerprint_no from fingerprint where project_no = ? and first_seen_ms < ?
        and fingerprint_no not in (select fingerprint_no from failure_count where project_no = ?)
        and fingerprint_no not in (select fingerprint_no from failure where project_no = ?)`)
    .pluck()
    .all(projectNo, beforeMs, projectNo, projectNo) as number[]
  const remove = store.statement('delete from fingerprint where fingerprint_no = ?')
  yield* removeEach(store, 'fingerprint', unused, (no) => remove.run(no).changes)
}

/** The last one stays: its number is not given again. */
export function* sweepDecisions(store: RetainedStore, beforeMs: number): Generator<RemovedRows> {
  const { statement } = store
  const look = statement(`
    select decision_no, decided_ms from decision where decision_no < (select max(decision_no) from decision)
    order by decision_no limit ${ROWS_PER_LOOK}`)
  const remove = statement('delete from decision where decision_no = ?')
  for (;;) {
    const rows = look.all() as { decision_no: number; decided_ms: number }[]
    const old = rows.filter(({ decided_ms }) => decided_ms < beforeMs)
    yield* removeEach(store, 'decision', old, ({ decision_no }) => remove.run(decision_no).changes)
    if (old.length < ROWS_PER_LOOK) return
  }
}
