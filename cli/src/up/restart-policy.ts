import { EXIT } from '@loopkit/shared/runtime/exit-codes'

/** What to do after a child ended: start it again after a while, or give up because starting again cannot help. */
export type RestartDecision = { action: 'restart'; delayMs: number } | { action: 'give_up'; exitCode: number }

export interface ChildEnd {
  exitCode: number | null
  /** How long it had been running. */
  ranMs: number
  /** Ends in a row before this one, each after less than HEALTHY_RUN_MS. */
  crashesInARow: number
}

/** A run at least this long, in ms, counts as healthy: the back-off starts anew. */
export const HEALTHY_RUN_MS = 30_000
/** First wait in ms; doubled for each crash in a row. */
const BACK_OFF_FIRST_MS = 200
/** Longest wait in ms: a person who mends the cause should not wait for longer. */
const BACK_OFF_MAX_MS = 10_000

/** Ends that come back unless a person changes something: the line that the child printed says what. */
const FINAL_CODES: ReadonlySet<number> = new Set([
  EXIT.config,
  EXIT.portTaken,
  EXIT.folderNotWritable,
  EXIT.schemaNewer,
  EXIT.data,
])

/**
 * A crash is answered with a restart, waiting longer each time; an end that a restart cannot mend ends everything with its code.
 * A taken port in the middle of a run is a crash whose old socket lingers, hence final only for a child that never ran.
 */
export function decideRestart({ exitCode, ranMs, crashesInARow }: ChildEnd): RestartDecision {
  if (exitCode !== null && FINAL_CODES.has(exitCode) && ranMs < HEALTHY_RUN_MS) return { action: 'give_up', exitCode }
  const delayMs = Math.min(BACK_OFF_MAX_MS, BACK_OFF_FIRST_MS * 2 ** Math.min(crashesInARow, 16))
  return { action: 'restart', delayMs }
}
