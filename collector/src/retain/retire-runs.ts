import type { RemovedRows } from './remove-rows.ts'
import type { RetainedStore } from './retained-store.ts'

/** The oldest commit or decision that a project still has, of each kind. */
const OLDEST = {
  span: "select min(first_commit) from segment where project_no = @projectNo and kind = 'span'",
  log: "select min(first_commit) from segment where project_no = @projectNo and kind = 'log'",
  decision: 'select decision_no from decision where project_no = @projectNo order by decided_ms, decision_no limit 1',
}

/** Runs that name nothing but what retention took; their pages go later, some at a time. */
export function* retireRuns({ statement, write }: RetainedStore, projectNo: number): Generator<RemovedRows> {
  for (const [kind, oldest] of Object.entries(OLDEST)) {
    const gone = `project_no = @projectNo and kind = @kind and state = 1 and last_no < coalesce((${oldest}), 9e15)`
    if (!statement(`select 1 from trace_run where ${gone} limit 1`).get({ projectNo, kind })) continue
    const retire = statement(`update trace_run set state = 2 where ${gone}`)
    yield { table: 'trace_run', rows: write(() => retire.run({ projectNo, kind }).changes) }
  }
}
