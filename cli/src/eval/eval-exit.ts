/** Exit codes of `loopkit eval`; 0 is as expected, 2 misuse, 3 an analyzer that was not reached. */
export const EVAL_EXIT = {
  /** A run came out otherwise than it must. */
  unexpected: 1,
  /** No run could be told, or the analyzer knows no such candidate. */
  notTold: 4,
  /** A file is missing, or holds no candidate or run. */
  noInput: 66,
} as const
