import type { SqliteDatabase } from '@loopkit/shared/database/open'
import { createTraceDecisions, eachDecidedTrace } from '@loopkit/shared/database/telemetry/trace-decisions'
import { createBloomFilter } from '../admit/bloom-filter.ts'
import { HashMap } from './hash-map.ts'
import type { TraceReasons } from './index-spans.ts'

/** Which traces wait to be judged, as the writer keeps it. Memory says where a row may be; the rows say what is true. */
export interface OpenTraces {
  /**
   * Inside a commit: a trace with reasons gets a row, one that is open is moved on, and one that was decided before is
   * opened again by any late span. `traceIdOf` is asked where there are no reasons, which name it.
   */
  touch(
    projectNo: number,
    hashLow: number,
    hashHigh: number,
    reasons: TraceReasons | null,
    at: CommitTime,
    traceIdOf: TraceIdOf,
  ): void
  /** The decider has committed these; their rows are gone. */
  noteDecided(hashes: BigUint64Array): void
}

/** The trace id of a hash that the commit holds. */
export type TraceIdOf = (hash: bigint) => Uint8Array | undefined

export interface CommitTime {
  commit: number
  receivedMs: number
}

const INSERT = `
  insert into open_trace (project_no, trace_hash, trace_id, first_received_ms, last_received_ms, last_commit,
                          failing, unended, agent_steps, decided_before)
  values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
/** By the place of the row; with the hash, since a place is used again when the decider has emptied it. */
const MOVE = `
  update open_trace set last_received_ms = ?, last_commit = ?, failing = failing + ?, unended = unended + ?,
    agent_steps = agent_steps + ? where rowid = ? and project_no = ? and trace_hash = ?`
const NOT_OPEN = -1

export function createOpenTraces(db: SqliteDatabase): OpenTraces {
  const rows = readOpen(db)
  const decided = createBloomFilter()
  eachDecidedTrace(db, (low, high) => decided.add(low, high))
  const insert = db.prepare(INSERT)
  const move = db.prepare(MOVE)
  const decisionsOf = createTraceDecisions(db)
  const stillOpen = db.prepare('select 1 from open_trace where rowid = ? and trace_hash = ?').pluck()
  const pair = new BigInt64Array(1)
  const words = new Uint32Array(pair.buffer)

  return {
    touch(projectNo, low, high, reasons, { commit, receivedMs }, traceIdOf) {
      const rowId = rows.get(low, high)
      const mayBeDecided = rowId === NOT_OPEN && decided.mayHold(low, high)
      if (!reasons && rowId === NOT_OPEN && !mayBeDecided) return
      words[0] = low
      words[1] = high
      const hash = pair[0]!
      const { failing, unended, agentSteps } = reasons ?? NO_REASONS
      // The row may have gone since: the decider tells us only after its commit.
      const isMoved =
        rowId !== NOT_OPEN && move.run(receivedMs, commit, failing, unended, agentSteps, rowId, projectNo, hash).changes > 0
      if (isMoved) return
      const before = (rowId !== NOT_OPEN || mayBeDecided) && decisionsOf(projectNo, hash).length > 0
      if (!reasons && !before) return
      const traceId = reasons?.traceId ?? traceIdOf(BigInt.asUintN(64, hash))
      if (!traceId) return
      const { lastInsertRowid } = insert.run(
        projectNo,
        hash,
        traceId,
        receivedMs,
        receivedMs,
        commit,
        failing,
        unended,
        agentSteps,
        before ? 1 : 0,
      )
      rows.set(low, high, Number(lastInsertRowid))
    },
    noteDecided(hashes) {
      const pairs = new Uint32Array(hashes.buffer, hashes.byteOffset, hashes.length * 2)
      for (let at = 0; at < pairs.length; at += 2) {
        const low = pairs[at]!
        const high = pairs[at + 1]!
        decided.add(low, high)
        words[0] = low
        words[1] = high
        const rowId = rows.get(low, high)
        // A late span may have opened the trace again before this was told.
        if (rowId !== NOT_OPEN && !stillOpen.get(rowId, pair[0]!)) rows.delete(low, high)
      }
    },
  }
}

const NO_REASONS = { failing: 0, unended: 0, agentSteps: 0 }

/** Rows of the traces that are open, by hash. */
function readOpen(db: SqliteDatabase): HashMap {
  const rows = new HashMap()
  const pair = new BigInt64Array(1)
  const words = new Uint32Array(pair.buffer)
  const read = db.prepare('select rowid as row_id, trace_hash as hash from open_trace').safeIntegers()
  for (const { row_id, hash } of read.iterate() as IterableIterator<{ row_id: bigint; hash: bigint }>) {
    pair[0] = hash
    rows.set(words[0]!, words[1]!, Number(row_id))
  }
  return rows
}
