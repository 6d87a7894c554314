/**
 * What a session's reader should look at, and no pain: too often without harm to be one, or told by a pain already.
 *
 * - `after_failure`: a model's turn that was told of a failed action.
 * - `failed_action`: a turn whose own action failed.
 * - `invalid_arguments`: a turn that asked for a tool with arguments that do not fit; its failure is blamed at the tool.
 * - `shredded_output`: a turn that read an output of one character a line.
 * - `unsupported_answer`: an answer that speaks of research or assumes, and nothing was done before it.
 * - `simulated_work`: a turn that says it simulates what it should do.
 * - `self_reported_trouble`: a turn that says that the last one did not work.
 * - `empty_search`: a turn whose search found nothing.
 * - `unused_tool`: the turn after a plan that names tools of which none is ever called.
 * - `same_tool_streak`: a third run in a row, or a later one, of the same tool.
 */
export const HINT_KINDS = [
  'after_failure',
  'failed_action',
  'invalid_arguments',
  'shredded_output',
  'unsupported_answer',
  'simulated_work',
  'self_reported_trouble',
  'empty_search',
  'unused_tool',
  'same_tool_streak',
] as const

export type HintKind = (typeof HINT_KINDS)[number]
