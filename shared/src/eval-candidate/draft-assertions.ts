import type { JsonValue } from '../span/record.ts'
import { checkRun } from './check-run.ts'
import type { EvalAssertion, EvalCandidate, ObservedRun } from './model.ts'
import { outcomeOf, writesOf } from './tool-effects.ts'

export interface Draft {
  assertions: EvalAssertion[]
  /** What would make it a test of the right result and not of one wrong result alone; empty where nothing is missing. */
  missing: string[]
}

export interface FailingPlace {
  service: string
  operation: string
  signal: string
}

export interface DraftSource {
  service: string
  operation: string
  signal: string
  /** All that fails under this pain: several where pains were merged. */
  places?: readonly FailingPlace[]
  /** The pain's words with what varies left out (`*`). */
  template: string
  /** The failing run; null where it cannot be read. */
  failing: ObservedRun | null
  /** Healthy runs of the same request. */
  passing: readonly ObservedRun[]
}

/** Signals that judge what a run came to, and not a step of it: a test of them must say what it should come to. */
const OF_OUTCOME = new Set(['negative_feedback'])

export const isOfOutcome = (signal: string): boolean => OF_OUTCOME.has(signal)
/** A piece of an error's words that is told apart from ordinary text. */
const WORDS_MIN_CHARS = 12
const WORDS_MAX_CHARS = 200

/** Assertions that fail on the failing run and pass on the healthy ones; one of which this is not so is left out. */
export function draftAssertions(source: DraftSource): Draft {
  const { service, operation, signal, template, failing, passing, places = [{ service, operation, signal }] } = source
  const targets = [...new Set(places.map(targetOf))]
  const words = wordsOf(template)
  const drafted: EvalAssertion[] = [
    // Of pains in several places that were merged, a run passes one of them.
    ...(targets.length === 1 ? [{ kind: 'operation_ran' as const, target: targets[0]!, expected: true }] : []),
    ...places.map((place) => ({ kind: 'signal_absent' as const, target: targetOf(place), expected: place.signal })),
    ...(words === null || OF_OUTCOME.has(signal)
      ? []
      : [{ kind: 'text_absent' as const, target: 'messages and output', expected: words }]),
    ...(places.some((place) => place.signal === 'empty_output')
      ? [{ kind: 'output_present' as const, target: 'output', expected: true }]
      : []),
  ]
  const assertions = drafted.filter((assertion) => passing.every((run) => checkRun([assertion], run).verdict !== 'fail'))
  if (!isOfOutcome(signal)) return { assertions, missing: [] }
  const { assertion, missing } = draftOutcome(failing, passing)
  return { assertions: assertion === null ? assertions : [...assertions, assertion], missing }
}

const targetOf = ({ service, operation }: FailingPlace) => `${service}: ${operation}`

/** Changes of one run that are written down as the right ones. */
const STATE_WRITES_MAX = 200

/** What assertions on the outcome look at. */
export const TOOL_CALLS = 'tool_calls'

function draftOutcome(
  failing: ObservedRun | null,
  passing: readonly ObservedRun[],
): { assertion: EvalAssertion | null; missing: string[] } {
  if (failing === null || failing.calls === null) return { assertion: null, missing: ['tool_calls_of_failing_run'] }
  const told = passing.flatMap(({ calls }) => (calls === null ? [] : [writesOf(calls)]))
  const states = told.filter(({ length }) => length <= STATE_WRITES_MAX)
  const distinct = [...new Map(states.map((state) => [JSON.stringify(state), state])).values()].sort(bySpelling)
  const target = TOOL_CALLS
  const equal: EvalAssertion = {
    kind: 'final_writes_equal',
    target,
    expected: distinct.map((state) => state.map((write) => JSON.parse(write) as JsonValue)),
  }
  if (distinct.length === 0) {
    const expected = { outcome: outcomeOf(failing), changes: writesOf(failing.calls).length }
    const differs: EvalAssertion = { kind: 'outcome_differs', target, expected }
    return { assertion: differs, missing: ['passing_run_of_the_request'] }
  }
  // A run that left the right state was judged by something else, which the calls of tools do not tell.
  const isTold = checkRun([equal], failing).verdict === 'fail'
  return { assertion: equal, missing: isTold ? [] : ['difference_between_failing_and_passing_run'] }
}

const bySpelling = (a: readonly string[], b: readonly string[]) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)

/** The longest piece without a gap. null where none says enough. */
function wordsOf(template: string): string | null {
  const pieces = template.split(/\*|<[a-z_]{1,20}>/).map((piece) => piece.trim())
  const longest = pieces.reduce((most, piece) => (piece.length > most.length ? piece : most), '')
  const isTelling = longest.length >= WORDS_MIN_CHARS && /\S\s+\S/.test(longest)
  return isTelling ? longest.slice(0, WORDS_MAX_CHARS) : null
}

/** The candidate with what healthy runs of its request tell of the right result. */
export function completeCandidate(
  candidate: EvalCandidate,
  failing: ObservedRun | null,
  passing: readonly ObservedRun[],
): EvalCandidate {
  const isOnOutcome = ({ kind }: EvalAssertion) => kind === 'final_writes_equal' || kind === 'outcome_differs'
  if (passing.length === 0 || (candidate.missing.length === 0 && !candidate.assertions.some(isOnOutcome))) return candidate
  const { assertion, missing } = draftOutcome(failing, passing)
  const assertions = [...candidate.assertions.filter((one) => !isOnOutcome(one)), ...(assertion === null ? [] : [assertion])]
  return { ...candidate, status: statusOf(missing), missing, assertions }
}

export function statusOf(missing: readonly string[]): EvalCandidate['status'] {
  return missing.length === 0 ? 'complete' : 'incomplete'
}
