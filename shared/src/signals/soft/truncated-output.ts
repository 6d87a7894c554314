import { healthyTurns, type SoftRule } from './rule.ts'

/** What providers call the end of an answer at its limit, or at the end of the context. */
const REASONS =
  /^(?:length|max_tokens|max_output_tokens|model_length|token_limit|max_length|context_length|model_context_window_exceeded|incomplete)$/i

/** An answer that ended where its tokens did. */
export const truncatedOutput: SoftRule = {
  signal: 'truncated_output',
  find: (trace) =>
    healthyTurns(trace).flatMap(({ at }) => {
      const { tokens } = trace.tree.spans[at]!.view
      const reason = trace.finishReasonsOf(at).find((one) => REASONS.test(one))
      if (reason === undefined) return []
      if (tokens.output !== null && tokens.output < trace.thresholds.truncatedOutputMinTokens) return []
      return [{ at, errorType: reason, message: 'the answer was cut at its limit', because: `finish reason ${reason}` }]
    }),
}
