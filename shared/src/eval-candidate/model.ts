import type { JsonValue } from '../span/record.ts'

/** One deterministic expectation. All of a candidate must hold of a run that passes; one that does not hold fails the run. */
export interface EvalAssertion {
  kind: AssertionKind
  /** `service: operation`, or the part of the run that is looked at. */
  target: string
  expected: JsonValue
}

export const ASSERTION_KINDS = [
  /** The work is among what the run did: silence is no success. */
  'operation_ran',
  /** No record of the work shows the signal. */
  'signal_absent',
  /** The words of the error are in none of the run's errors and not in its output. */
  'text_absent',
  /** The run answered something. */
  'output_present',
  /** What the run changed equals what one of the healthy runs changed. */
  'final_writes_equal',
  /**
   * The run changed something where the failing one changed nothing, nothing where that one changed something, or more things than that
   * one: what is half done is a usual failure. `expected` is what the failing one did: `{outcome, changes}`.
   */
  'outcome_differs',
] as const
export type AssertionKind = (typeof ASSERTION_KINDS)[number]

/** What a candidate was frozen from: what the failing work was asked to do. */
export interface EvalInput {
  record_id: string
  trace_id: string
  session_id: string
  service: string
  operation: string
  /** The words that the run began with; null where the telemetry does not tell. */
  request: string | null
  attributes: Record<string, unknown>
}

/** A test drafted from evidence (contract §4): must fail on the evidence, must pass on healthy twins. */
export interface EvalCandidate {
  eval_id: string
  /** `incomplete` where no healthy run of the same request is known; `missing` says what would complete it. */
  status: 'complete' | 'incomplete'
  missing: string[]
  input: EvalInput
  assertions: EvalAssertion[]
  must_fail_on: string[]
  must_pass_on: string[] | null
}

/** One piece of work in a run, with the trouble it showed. */
export interface RunOperation {
  /** null where only the operation is told. */
  service: string | null
  operation: string
  signal: string | null
  message: string | null
}

/** One call of a tool. */
export interface RunCall {
  tool: string
  arguments: JsonValue
  failed: boolean
}

/** What one run did, as far as telemetry or its output tells; null where it does not tell. */
export interface ObservedRun {
  /** Work that is told: of telemetry all of it, of messages the calls of tools only. */
  operations: RunOperation[] | null
  isComplete: boolean
  calls: RunCall[] | null
  output: string | null
}

/** One assertion on one run; `not_told` where the run does not say. */
export interface AssertionResult {
  kind: AssertionKind
  target: string
  result: 'pass' | 'fail' | 'not_told'
  why: string
}

export interface RunVerdict {
  verdict: 'pass' | 'fail' | 'not_told'
  assertions: AssertionResult[]
}
