import type { HintKind } from '@loopkit/shared/signals/hints/hint-kind'
import type { SignalType } from '@loopkit/shared/signals/signal-type'
import type { SessionStep } from './session-step.ts'

export const SCORE_PARTS = ['completion', 'errors', 'tool_use', 'answers', 'efficiency'] as const
export const MARKS = ['good', 'fair', 'poor'] as const

/** One part of a session's scorecard. Each mark but a good one has its evidence; null where there is nothing to mark. */
export interface ScorePart {
  part: (typeof SCORE_PARTS)[number]
  mark: (typeof MARKS)[number] | null
  because: string
  evidence: Evidence[]
}

export interface Evidence {
  /** Place among the session's steps. */
  at: number
  because: string
}

interface Kinds {
  /** Whatever else fails in a step of this role counts, too. */
  role: SessionStep['role'] | null
  signals: readonly SignalType[]
  hints: readonly HintKind[]
}

const TOOL_USE: Kinds = {
  role: 'action',
  signals: ['tool_failure', 'invalid_tool_arguments', 'orphan_tool_call'],
  hints: ['invalid_arguments', 'failed_action', 'unused_tool', 'empty_search'],
}
const ANSWERS: Kinds = {
  role: 'turn',
  signals: ['refusal', 'empty_output', 'truncated_output', 'llm_error'],
  hints: ['unsupported_answer', 'simulated_work', 'self_reported_trouble', 'shredded_output'],
}
const EFFICIENCY: Kinds = {
  role: null,
  signals: ['retry_storm', 'repeated_step', 'slow', 'cost_outlier'],
  hints: ['same_tool_streak'],
}
const UNFINISHED: readonly SignalType[] = ['incomplete', 'negative_feedback']

/** How the session went, in five parts, each with what it was marked by. */
export function scoreSession(steps: readonly SessionStep[]): ScorePart[] {
  return [completion(steps), errors(steps), toolUse(steps), answers(steps), efficiency(steps)]
}

/** Whether it came to its end, and nobody said that it did not. */
function completion(steps: readonly SessionStep[]): ScorePart {
  const lastTurn = steps.findLastIndex(({ role }) => role === 'turn')
  const ends = steps.flatMap(({ isRoot }, at) => (isRoot || at === lastTurn ? [at] : []))
  const broken = ends.filter((at) => steps[at]!.hasError || steps[at]!.failure !== null)
  const unfinished = failuresOf(steps, ({ signal }) => UNFINISHED.includes(signal))
  const poor = [...unfinished, ...broken.map((at) => ({ at, because: why(steps[at]!) ?? 'ended with an error' }))]
  if (poor.length > 0)
    return part('completion', 'poor', { because: 'it ended with an error, or did not end well', evidence: poor })
  const left = failuresOf(steps, (_, step) => !step.isRecovered)
  if (left.length > 0)
    return part('completion', 'fair', { because: 'it came to its end past failures that were not made good', evidence: left })
  return part('completion', 'good', { because: 'it came to its end', evidence: [] })
}

function errors(steps: readonly SessionStep[]): ScorePart {
  const left = failuresOf(steps, (_, step) => !step.isRecovered)
  if (left.length > 0)
    return part('errors', 'poor', { because: `${count(left, 'failure')} that the session did not recover from`, evidence: left })
  const recovered = failuresOf(steps, () => true)
  if (recovered.length > 0)
    return part('errors', 'fair', {
      because: `${count(recovered, 'failure')}, and the same work went well later`,
      evidence: recovered,
    })
  return part('errors', 'good', { because: 'nothing failed', evidence: [] })
}

function toolUse(steps: readonly SessionStep[]): ScorePart {
  const tools = steps.filter(({ role, callsAgent }) => role === 'action' && !callsAgent).length
  const found = marked(steps, TOOL_USE)
  if (tools === 0 && found.evidence.length === 0) return part('tool_use', null, { because: 'no tool was used', evidence: [] })
  return byKinds('tool_use', found, `${tools} runs of tools without trouble`)
}

function answers(steps: readonly SessionStep[]): ScorePart {
  const turns = steps.filter(({ role }) => role === 'turn').length
  if (turns === 0) return part('answers', null, { because: 'no model was called', evidence: [] })
  return byKinds('answers', marked(steps, ANSWERS), `${turns} answers without trouble`)
}

function efficiency(steps: readonly SessionStep[]): ScorePart {
  if (steps.length === 0) return part('efficiency', null, { because: 'there are no spans', evidence: [] })
  return byKinds('efficiency', marked(steps, EFFICIENCY), 'nothing was done again and again')
}

interface Marked {
  mark: 'good' | 'fair' | 'poor'
  evidence: Evidence[]
}

/** A failure that stayed is poor; one that was made good, and a hint, are fair. */
function marked(steps: readonly SessionStep[], { role, signals, hints }: Kinds): Marked {
  const isElsewhere = (signal: SignalType) => UNFINISHED.includes(signal) || EFFICIENCY.signals.includes(signal)
  const isMeant = ({ signal }: StepFailure, step: SessionStep) =>
    signals.includes(signal) || (step.role === role && !step.callsAgent && !isElsewhere(signal))
  const left = failuresOf(steps, (failure, step) => isMeant(failure, step) && !step.isRecovered)
  if (left.length > 0) return { mark: 'poor', evidence: left }
  const recovered = failuresOf(steps, isMeant)
  const hinted = steps.flatMap((step, at) =>
    step.hints.filter(({ kind }) => hints.includes(kind)).map(({ kind, because }) => ({ at, because: `${kind}: ${because}` })),
  )
  const evidence = [...recovered, ...hinted]
  return { mark: evidence.length > 0 ? 'fair' : 'good', evidence }
}

function byKinds(name: ScorePart['part'], { mark, evidence }: Marked, healthy: string): ScorePart {
  const because =
    mark === 'good'
      ? healthy
      : mark === 'poor'
        ? count(evidence, 'failure')
        : count(evidence, 'thing worth a look', 'things worth a look')
  return part(name, mark, { because, evidence })
}

function part(name: ScorePart['part'], mark: ScorePart['mark'], rest: Pick<ScorePart, 'because' | 'evidence'>): ScorePart {
  return { part: name, mark, ...rest }
}

type StepFailure = NonNullable<SessionStep['failure']>

function failuresOf(steps: readonly SessionStep[], isMeant: (failure: StepFailure, step: SessionStep) => boolean): Evidence[] {
  return steps.flatMap((step, at) => (step.failure !== null && isMeant(step.failure, step) ? [{ at, because: why(step)! }] : []))
}

function why({ failure, operation }: SessionStep): string | null {
  if (failure === null) return null
  return failure.message === '' ? `${failure.signal} in ${operation}` : `${failure.signal} in ${operation}: ${failure.message}`
}

function count(evidence: readonly Evidence[], one: string, many = `${one}s`): string {
  return `${evidence.length} ${evidence.length === 1 ? one : many}`
}
