import type { SqliteDatabase } from '@loopkit/shared/database/open'
import { createBloomFilter } from '../admit/bloom-filter.ts'
import { createHashSet } from './hash-set.ts'
import type { TraceReasons } from './index-spans.ts'

/** Which traces wait to be judged, as the writer keeps it. Memory says where a row may be; the rows say what is true. */
export interface OpenTraces {
  /**
   * Inside a commit: a trace with reasons gets a row, one that is open is moved on, and one that was decided before is
   * opened again by any late span.
   */
  touch(projectNo: number, hashLow: number, hashHigh: number, reasons: TraceReasons | null, at: CommitTime): void
  /** The decider has committed these; their rows are gone. */
  noteDecided(hashes: BigUint64Array): void
}

export interface CommitTime {
  commit: number
  receivedMs: number
}

const UPSERT = `
  insert into open_trace (project_no, trace_hash, trace_id, first_received_ms, last_received_ms, last_commit,
                          failing, unended, agent_steps, decided_before)
  values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  on conflict do update set last_received_ms = excluded.last_received_ms, last_commit = excluded.last_commit,
    failing = failing + excluded.failing, unended = unended + excluded.unended, agent_steps = agent_steps + excluded.agent_steps`
const MOVE = 'update open_trace set last_received_ms = ?, last_commit = ? where project_no = ? and trace_hash = ?'

export function createOpenTraces(db: SqliteDatabase): OpenTraces {
  const open = createHashSet()
  const decided = createBloomFilter()
  const upsert = db.prepare(UPSERT)
  const move = db.prepare(MOVE)
  const findDecided = db.prepare('select trace_id from decided_trace where project_no = ? and trace_hash = ?').pluck()
  const pair = new BigInt64Array(1)
  const pairWords = new Uint32Array(pair.buffer)

  function load(): void {
    for (const hash of hashesOf(db, 'open_trace')) {
      pair[0] = hash
      open.add(pairWords[0]!, pairWords[1]!)
    }
    for (const hash of hashesOf(db, 'decided_trace')) {
      pair[0] = hash
      decided.add(pairWords[0]!, pairWords[1]!)
    }
  }
  load()

  return {
    touch(projectNo, low, high, reasons, { commit, receivedMs }) {
      const wasOpen = open.has(low, high)
      const mayBeDecided = !wasOpen && decided.mayHold(low, high)
      if (!reasons && !wasOpen && !mayBeDecided) return
      pairWords[0] = low
      pairWords[1] = high
      const hash = pair[0]!
      // The row may have gone since: the decider tells us only after its commit.
      if (!reasons && wasOpen && move.run(receivedMs, commit, projectNo, hash).changes > 0) return
      const before = findDecided.get(projectNo, hash) as Uint8Array | undefined
      const traceId = reasons?.traceId ?? before
      if (!traceId) return
      upsert.run(
        projectNo,
        hash,
        traceId,
        receivedMs,
        receivedMs,
        commit,
        reasons?.failing ?? 0,
        reasons?.unended ?? 0,
        reasons?.agentSteps ?? 0,
        before ? 1 : 0,
      )
      open.add(low, high)
    },
    noteDecided(hashes) {
      const words = new Uint32Array(hashes.buffer, hashes.byteOffset, hashes.length * 2)
      for (let at = 0; at < words.length; at += 2) {
        open.delete(words[at]!, words[at + 1]!)
        decided.add(words[at]!, words[at + 1]!)
      }
    },
  }
}

function hashesOf(db: SqliteDatabase, table: 'open_trace' | 'decided_trace'): IterableIterator<bigint> {
  return db.prepare(`select trace_hash from ${table}`).pluck().safeIntegers().iterate() as IterableIterator<bigint>
}
