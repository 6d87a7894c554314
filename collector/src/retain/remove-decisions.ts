import type { RemovedRows } from './remove-rows.ts'
import type { RetainedStore } from './retained-store.ts'

/** Rows that a transaction takes: see remove-rows.ts. They lie one behind the other, so more of them than there. */
const ROWS_PER_STEP = 200

interface OldDecision {
  decision_no: number
  first_failure_no: number
  last_failure_no: number
}

/**
 * Decisions of a project from before a time, and their failures. The last decision of all
 * stays as one of project 0, which no project has: numbers count on from it.
 */
export function* removeDecisions(store: RetainedStore, projectNo: number, beforeMs: number): Generator<RemovedRows> {
  const { statement } = store
  const old = statement(`
    select decision_no, first_failure_no, last_failure_no from decision where project_no = ? and decided_ms < ?
    order by decided_ms, decision_no limit ${ROWS_PER_STEP}`)
  for (;;) {
    const rows = old.all(projectNo, beforeMs) as OldDecision[]
    if (rows.length === 0) break
    yield* removeSome(store, projectNo, rows)
  }
}

/** As many as one transaction takes, at least one, whose failures may take several. */
function* removeSome(store: RetainedStore, projectNo: number, rows: readonly OldDecision[]): Generator<RemovedRows> {
  const [first] = rows as [OldDecision]
  if (failuresOf(first) > ROWS_PER_STEP) yield* removeFailures(store, first)
  const part = [first]
  for (let failures = failuresOf(first); part.length < rows.length; part.push(rows[part.length]!)) {
    failures += failuresOf(rows[part.length]!)
    if (failures > ROWS_PER_STEP) break
  }
  const removeRange = store.statement('delete from decided_failure where failure_no between ? and ?')
  const remove = store.statement(
    'delete from decision where decision_no = ? and decision_no < (select max(decision_no) from decision)',
  )
  const keep = store.statement(`
    update decision set project_no = 0, traces = 0, first_failure_no = last_failure_no + 1
    where decision_no = ?`)
  const removeUnfolded = store.statement('delete from unfolded_decision where project_no = ? and decision_no = ?')
  const removeKept = store.statement(
    'delete from decision where project_no = 0 and decision_no < (select max(decision_no) from decision)',
  )
  const removed = store.write(() =>
    part.reduce((sum, { decision_no, first_failure_no, last_failure_no }) => {
      removeUnfolded.run(projectNo, decision_no)
      if (remove.run(decision_no).changes === 0) keep.run(decision_no)
      removeKept.run()
      return sum + removeRange.run(first_failure_no, last_failure_no).changes
    }, 0),
  )
  yield { table: 'failure', rows: removed }
  yield { table: 'decision', rows: part.length }
}

function* removeFailures(store: RetainedStore, { first_failure_no, last_failure_no }: OldDecision): Generator<RemovedRows> {
  const remove = store.statement(`
    delete from decided_failure where failure_no in
      (select failure_no from decided_failure where failure_no between ? and ? limit ${ROWS_PER_STEP})`)
  for (;;) {
    const rows = store.write(() => remove.run(first_failure_no, last_failure_no).changes)
    if (rows > 0) yield { table: 'failure', rows }
    if (rows < ROWS_PER_STEP) return
  }
}

function failuresOf({ first_failure_no, last_failure_no }: OldDecision): number {
  return last_failure_no - first_failure_no + 1
}
