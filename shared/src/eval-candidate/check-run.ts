import type { JsonValue } from '../span/record.ts'
import type { AssertionResult, EvalAssertion, ObservedRun, RunOperation, RunVerdict } from './model.ts'
import { outcomeOf, writesOf } from './tool-effects.ts'

/** Checks of runs. Embedded in exported tests like tool-effects.ts, so they use nothing from elsewhere. */

/** Every assertion on one run. Passes where none fails and what the candidate is about was told. */
export function checkRun(assertions: readonly EvalAssertion[], run: ObservedRun): RunVerdict {
  const results = assertions.map((assertion) => checkAssertion(assertion, run))
  const isAboutOutcome = ({ kind }: { kind: string }) => kind === 'final_writes_equal' || kind === 'outcome_differs'
  const isUntold = results.some((one) => isAboutOutcome(one) && one.result === 'not_told')
  const isAnyTold = results.some(({ kind, result }) => kind !== 'operation_ran' && result === 'pass')
  if (results.some(({ result }) => result === 'fail')) return { verdict: 'fail', assertions: results }
  return { verdict: isAnyTold && !isUntold ? 'pass' : 'not_told', assertions: results }
}

export function checkAssertion({ kind, target, expected }: EvalAssertion, run: ObservedRun): AssertionResult {
  const say = (result: AssertionResult['result'], why: string) => ({ kind, target, result, why })
  const answer = (isFine: boolean | null, why: string) => {
    if (isFine === null) return say('not_told', 'the run does not tell')
    return say(isFine ? 'pass' : 'fail', why)
  }
  switch (kind) {
    case 'operation_ran': {
      const count = operationsAt(run, target).length
      const isTold = count > 0 || run.isComplete
      return answer(isTold ? count > 0 : null, `ran ${count} times`)
    }
    case 'signal_absent': {
      const ran = operationsAt(run, target)
      const showing = ran.filter(({ signal }) => signal === expected).length
      return answer(ran.length === 0 ? null : showing === 0, `${showing} of ${ran.length} show ${String(expected)}`)
    }
    case 'text_absent':
      return checkText(say, run, expected)
    case 'output_present':
      return answer(run.output === null ? null : run.output.trim() !== '', 'the output is looked at')
    case 'final_writes_equal':
      return checkWrites(say, run, expected)
    case 'outcome_differs':
      return checkOutcome(say, run, expected)
    default:
      return say('not_told', 'this kind of assertion is not known here')
  }
}

/** The run's records of one `service: operation`. Where the service is not told, the operation alone names them. */
export function operationsAt(run: ObservedRun, target: string): RunOperation[] {
  return (run.operations ?? []).filter(({ service, operation }) =>
    service === null ? target.endsWith(`: ${operation}`) : target === `${service}: ${operation}`,
  )
}

export function checkText(
  say: (result: AssertionResult['result'], why: string) => AssertionResult,
  run: ObservedRun,
  expected: JsonValue,
): AssertionResult {
  const messages = (run.operations ?? []).flatMap(({ message }) => (message === null ? [] : [message]))
  const texts = run.output === null ? messages : [...messages, run.output]
  if (texts.length === 0 && !run.isComplete) return say('not_told', 'the run does not tell')
  const found = texts.filter((text) => text.split(/\s+/).join(' ').includes(String(expected))).length
  return say(found > 0 ? 'fail' : 'pass', found > 0 ? 'its words are there again' : 'its words are not there')
}

/** `expected`: the states that healthy runs left, any of which will do. */
export function checkWrites(
  say: (result: AssertionResult['result'], why: string) => AssertionResult,
  run: ObservedRun,
  expected: JsonValue,
): AssertionResult {
  if (run.calls === null || !Array.isArray(expected)) return say('not_told', 'the run does not tell which tools it called')
  const left = writesOf(run.calls)
  const states = expected.map((state) => (Array.isArray(state) ? statesWrites(state) : []))
  if (states.some((state) => state.length === left.length && state.every((write, at) => write === left[at])))
    return say('pass', `it changed the same ${left.length} things as a healthy run`)
  const known = new Set(states.flat())
  const surplus = left.filter((write) => !known.has(write)).length
  const lacks = Math.min(...states.map((state) => state.filter((write) => !left.includes(write)).length))
  return say('fail', `it changed ${left.length} things, ${surplus} of them in no healthy run; ${lacks} are lacking`)
}

/** `expected`: how the failing run ended, by its word alone or with the number of things that it changed. */
export function checkOutcome(
  say: (result: AssertionResult['result'], why: string) => AssertionResult,
  run: ObservedRun,
  expected: JsonValue,
): AssertionResult {
  const outcome = outcomeOf(run)
  if (outcome === null) return say('not_told', 'the run does not tell which tools it called')
  const changes = writesOf(run.calls ?? []).length
  const failing = expected !== null && typeof expected === 'object' && !Array.isArray(expected) ? expected : { outcome: expected }
  const hasMore = outcome === 'something_changed' && typeof failing.changes === 'number' && changes > failing.changes
  return say(outcome !== failing.outcome || hasMore ? 'pass' : 'fail', `the run ended with ${outcome}: ${changes} changes`)
}

/** A person may have written the state, in any order and spelling. */
export function statesWrites(state: readonly JsonValue[]): string[] {
  const calls = state.flatMap((write) => {
    if (write === null || typeof write !== 'object' || Array.isArray(write)) return []
    return [{ tool: String(write.tool), arguments: write.arguments ?? {}, failed: false }]
  })
  return writesOf(calls)
}
