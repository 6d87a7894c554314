import type { SqliteDatabase } from '@loopkit/shared/database/open'
import { AWAITS_END } from '@loopkit/shared/database/telemetry/awaits-end'

/** A trace that is to be decided, as its open row says. */
export interface OpenTrace {
  rowId: number
  projectNo: number
  /** As stored: signed. */
  traceHash: bigint
  traceId: Uint8Array
  lastReceivedMs: number
  lastCommit: number
  decidedBefore: boolean
}

/** The rows of traces that wait to be judged, as the decider asks for them. */
export interface OpenRows {
  /** Traces that got no span after `beforeMs`, those that await the end of a span not after `awaitedMs`; every project gets its turn. */
  quiet(beforeMs: number, awaitedMs: number, limit: number): OpenTrace[]
  /** Traces that still get spans but came first before `firstBeforeMs`. */
  aged(afterMs: number, firstBeforeMs: number, limit: number): OpenTrace[]
  /** How many traces wait, and when the first of them came; null without any. */
  waiting(): { traces: number; firstReceivedMs: number | null }
  /** Takes traces out that nobody will ask for. */
  drop(traces: readonly OpenTrace[]): void
}

interface OpenRow {
  row_id: bigint
  project_no: bigint
  trace_hash: bigint
  trace_id: Uint8Array
  last_received_ms: bigint
  last_commit: bigint
  decided_before: bigint
}

const SELECT =
  'select rowid as row_id, project_no, trace_hash, trace_id, last_received_ms, last_commit, decided_before from open_trace'

export function createOpenRows(db: SqliteDatabase): OpenRows {
  const nextProject = db.prepare('select min(project_no) from open_trace where project_no > ?').pluck()
  const quiet = db
    .prepare(
      `${SELECT} where project_no = ? and last_received_ms <= ? and (last_received_ms <= ? or not (${AWAITS_END})) order by last_received_ms limit ?`,
    )
    .safeIntegers()
  const aged = db
    .prepare(`${SELECT} where project_no = ? and last_received_ms > ? and first_received_ms <= ? limit ?`)
    .safeIntegers()
  const waiting = db.prepare('select count(*) as traces, min(first_received_ms) as firstReceivedMs from open_trace')
  const drop = db.prepare('delete from open_trace where rowid = ? and trace_hash = ?')
  let lastProject = 0

  function projects(): number[] {
    const found: number[] = []
    for (let next = nextProject.get(0) as number | null; next !== null; next = nextProject.get(next) as number | null)
      found.push(next)
    return found
  }

  /** Starts behind the project that came last, so that one with many traces does not keep the others waiting. */
  function gather(limit: number, read: (projectNo: number, room: number) => OpenRow[]): OpenTrace[] {
    const all = projects()
    const behind = all.findIndex((projectNo) => projectNo > lastProject)
    const inTurn = behind < 0 ? all : [...all.slice(behind), ...all.slice(0, behind)]
    const found: OpenTrace[] = []
    for (const projectNo of inTurn) {
      if (found.length >= limit) break
      found.push(...read(projectNo, limit - found.length).map(toOpenTrace))
      lastProject = projectNo
    }
    return found
  }

  return {
    quiet: (beforeMs, awaitedMs, limit) =>
      gather(limit, (projectNo, room) => quiet.all(projectNo, beforeMs, awaitedMs, room) as OpenRow[]),
    aged: (afterMs, firstBeforeMs, limit) =>
      gather(limit, (projectNo, room) => aged.all(projectNo, afterMs, firstBeforeMs, room) as OpenRow[]),
    waiting: () => waiting.get() as { traces: number; firstReceivedMs: number | null },
    drop(traces) {
      for (const { rowId, traceHash } of traces) drop.run(rowId, traceHash)
    },
  }
}

function toOpenTrace(row: OpenRow): OpenTrace {
  return {
    rowId: Number(row.row_id),
    projectNo: Number(row.project_no),
    traceHash: row.trace_hash,
    traceId: row.trace_id,
    lastReceivedMs: Number(row.last_received_ms),
    lastCommit: Number(row.last_commit),
    decidedBefore: row.decided_before !== 0n,
  }
}
