import { checkRun } from '@loopkit/shared/eval-candidate/check-run'
import type { AssertionResult, EvalCandidate, ObservedRun } from '@loopkit/shared/eval-candidate/model'
import type { EvalCase } from './export-cases.ts'

/** One run that a candidate was asked about. */
export interface JudgedRun {
  /** The stored record, or what the new run was read from. */
  run: string
  expected: 'fail' | 'pass'
  /** `gone`: the record is no longer stored. */
  verdict: 'fail' | 'pass' | 'not_told' | 'gone'
  assertions: AssertionResult[]
}

export interface JudgedCase {
  eval_id: string
  pain_id: string | null
  status: EvalCandidate['status']
  missing: string[]
  evidence: JudgedRun[]
  healthy: JudgedRun[]
  new_run: JudgedRun | null
  /** Every run that could be told came out as expected; null where none could be told. */
  is_as_expected: boolean | null
}

export interface CaseRuns {
  /** By record id; null where it is gone. */
  stored: ReadonlyMap<string, ObservedRun | null>
  newRun: { name: string; run: ObservedRun } | null
}

/** Asks a candidate about its evidence, its healthy twins and the new run. */
export function judgeCase({ candidate, pain_id }: EvalCase, { stored, newRun }: CaseRuns): JudgedCase {
  const { eval_id, status = 'complete', missing = [], assertions, must_fail_on, must_pass_on } = candidate
  const judge = (run: string, expected: 'fail' | 'pass', observed: ObservedRun | null): JudgedRun => {
    if (observed === null) return { run, expected, verdict: 'gone', assertions: [] }
    return { run, expected, ...checkRun(assertions, observed) }
  }
  const evidence = must_fail_on.map((id) => judge(id, 'fail', stored.get(id) ?? null))
  const healthy = (must_pass_on ?? []).map((id) => judge(id, 'pass', stored.get(id) ?? null))
  const judgedNew = newRun && judge(newRun.name, 'pass', newRun.run)
  const is_as_expected = asExpected(evidence, healthy, judgedNew)
  return { eval_id, pain_id, status, missing, evidence, healthy, new_run: judgedNew, is_as_expected }
}

/** A new run that was given must be told; of stored ones those that can be told count. */
function asExpected(evidence: JudgedRun[], healthy: JudgedRun[], newRun: JudgedRun | null): boolean | null {
  const told = [...evidence, ...healthy, ...(newRun ? [newRun] : [])].filter(
    ({ verdict }) => verdict === 'fail' || verdict === 'pass',
  )
  if (told.some(({ verdict, expected }) => verdict !== expected)) return false
  if (told.length === 0 || newRun?.verdict === 'not_told') return null
  return true
}
