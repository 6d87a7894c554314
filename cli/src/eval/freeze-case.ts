import { TOOL_CALLS } from '@loopkit/shared/eval-candidate/draft-assertions'
import type { ObservedRun, RunOperation } from '@loopkit/shared/eval-candidate/model'
import type { EvalCase } from './export-cases.ts'

/** Pieces of work kept of one run: those that an assertion looks at. */
const OPERATIONS_MAX = 200
const CALLS_MAX = 2_000

/** The candidate with its stored runs in it, cut to what its assertions look at. */
export function frozenCase(one: EvalCase, stored: ReadonlyMap<string, ObservedRun | null>): EvalCase {
  const targets = new Set(one.candidate.assertions.map(({ target }) => target))
  const isOfCalls = targets.has(TOOL_CALLS)
  const freeze = (ids: readonly string[], expect: 'fail' | 'pass') =>
    ids.flatMap((record_id) => {
      const run = stored.get(record_id) ?? null
      return run === null ? [] : [{ record_id, expect, run: frozenRun(isOfCalls ? run : { ...run, calls: null }, targets) }]
    })
  const { must_fail_on, must_pass_on } = one.candidate
  return { ...one, examples: [...freeze(must_fail_on, 'fail'), ...freeze(must_pass_on ?? [], 'pass')] }
}

function frozenRun(run: ObservedRun, targets: ReadonlySet<string>): ObservedRun {
  const isLookedAt = ({ service, operation, message }: RunOperation) =>
    message !== null || targets.has(`${service}: ${operation}`)
  return {
    ...run,
    operations: run.operations?.filter(isLookedAt).slice(0, OPERATIONS_MAX) ?? null,
    calls: run.calls?.slice(0, CALLS_MAX) ?? null,
  }
}
