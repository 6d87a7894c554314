/**
 * A trace that is decided but for a span that has not ended keeps its row, to be judged again when nothing came for ten minutes. A span
 * that comes later moves `last_received_ms`, and the row is one of an undecided trace again.
 */
export const AWAITS_END = 'decided_before = 2 and first_received_ms = last_received_ms'

/** Keeps a row at its decision: by rowid, trace hash and last commit. */
export const KEEP_AWAITING_END = `update open_trace
  set decided_before = 2, first_received_ms = last_received_ms, failing = 0, agent_steps = 0
  where rowid = ? and trace_hash = ? and last_commit = ?`
