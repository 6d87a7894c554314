import type { Blame } from '../blame.ts'
import type { SignalType } from '../signal-type.ts'
import { NO_PARENT, type TraceTree } from '../trace-tree.ts'
import type { SoftFailure } from './find-soft.ts'

/** Errors by which the code above a model call repeats how the call ended. */
const REPEATS: Partial<Record<SignalType, RegExp>> = {
  truncated_output: /max(?:imum)?[ _]?(?:output[ _])?tokens?|token limit|length limit|LengthFinishReason/i,
  refusal: /content[ _]?filter|guardrail (?:intervened|triggered)|model refused|refusal/i,
}

/** Whether an error above may say the same. */
export const isRepeatable = (signal: SignalType): boolean => REPEATS[signal] !== undefined

/**
 * An error above a model call that only says that its answer was cut or refused is no failure of its own: the call is the origin, and the
 * error goes to what it passed through. The latest such call takes it. Takes out of `blamed` what it gives to the others.
 */
export function adoptConsequences({ spans, parents }: TraceTree, blamed: Blame, soft: readonly SoftFailure[]): SoftFailure[] {
  return soft
    .toReversed()
    .map((failure) => {
      const repeats = REPEATS[failure.detection.signal]
      if (repeats === undefined) return failure
      let above = parents[failure.at]!
      while (above !== NO_PARENT && spans[above]!.detection === null) above = parents[above]!
      const passedTo = above === NO_PARENT ? undefined : blamed.get(above)
      const error = passedTo && spans[above]!.detection!
      if (!error || !repeats.test(`${error.errorType ?? ''} ${error.message ?? ''}`.slice(0, 1_000))) return failure
      blamed.delete(above)
      return { ...failure, alsoAt: [above, ...passedTo, ...failure.alsoAt] }
    })
    .reverse()
}
