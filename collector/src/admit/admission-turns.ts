import type { Caller } from '../receive/authenticate.ts'
import type { CommitQueue } from '../write/commit-queue.ts'
import { type Admission, type AdmissionContext, type Admitting, admitRows, beginAdmission, endAdmission } from './admission.ts'
import type { BloomFilter } from './bloom-filter.ts'
import type { Lookup } from './lookup.ts'
import type { PreparedTraces } from './prepare.ts'
import { OWNERS } from './seen-spans.ts'
import { SPAN_REF_BYTES } from './stored-spans.ts'

export interface AdmissionTurnsDeps {
  context: AdmissionContext
  /** Traces that may have spans that memory has forgotten. */
  older: BloomFilter
  lookup: Lookup
  queue: CommitQueue
  queueMaxSpans: number
}

/** Admits bodies and pushes what is to be stored, large ones in slices so that other requests get a turn. */
export interface AdmissionTurns {
  /** 'queue_full': nothing was admitted. Rejects where the store cannot be asked. */
  admit(caller: Caller, prepared: PreparedTraces): Promise<Admission | 'queue_full'>
}

/** Rows judged in one go. */
const SLICE_ROWS = 4096
/** Turns of asking the store before a body is told to come again: each needs a whole generation of other spans. */
const LOOKUP_ROUNDS_MAX = 3

interface Ask {
  caller: Caller
  prepared: PreparedTraces
  stored: Uint8Array | null
  /** Generations forgotten when the store was asked. */
  rotations: number
}

export function createAdmissionTurns(deps: AdmissionTurnsDeps): AdmissionTurns {
  const { context, queue } = deps
  let nextOwner = 1

  function begin({ caller, prepared, stored, rotations }: Ask): Admitting | 'queue_full' | 'ask_again' {
    const { count } = prepared.scan
    if (queue.pendingSpans > 0 && queue.pendingSpans + count > deps.queueMaxSpans) return 'queue_full'
    context.seen.makeRoom(count)
    // Spans that memory knew when the store was asked may be forgotten by now.
    if (context.seen.rotations !== rotations) return 'ask_again'
    nextOwner = (nextOwner + 1) % OWNERS || 1
    return beginAdmission(context, caller, prepared, stored, nextOwner)
  }

  function publish(admitting: Admitting): Admission {
    const admission = endAdmission(admitting)
    if (admission.stored) queue.push(admission.stored)
    return admission
  }

  function admitAtOnce(ask: Ask) {
    const admitting = begin(ask)
    if (typeof admitting === 'string') return admitting
    admitRows(admitting, 0, ask.prepared.scan.count)
    return publish(admitting)
  }

  async function admitInSlices(ask: Ask) {
    const admitting = begin(ask)
    if (typeof admitting === 'string') return admitting
    const { count } = ask.prepared.scan
    for (let from = 0; from < count; from += SLICE_ROWS) {
      admitRows(admitting, from, Math.min(count, from + SLICE_ROWS))
      await nextTurn()
    }
    return publish(admitting)
  }

  const turns = createTurns()

  return {
    async admit(caller, prepared) {
      for (let round = 0; round < LOOKUP_ROUNDS_MAX; round++) {
        const { rotations } = context.seen
        const stored = await askStore(deps, caller.projectNo, prepared)
        const ask: Ask = { caller, prepared, stored, rotations }
        // A small body needs no turn of its own unless a large one is in the middle of its slices.
        const isAtOnce = turns.waiting() === 0 && prepared.scan.count <= SLICE_ROWS
        const admission = isAtOnce ? admitAtOnce(ask) : await turns.take(() => admitInSlices(ask))
        if (admission !== 'ask_again') return admission
      }
      return 'queue_full'
    },
  }
}

interface Turns {
  /** One after the other: a body that is pushed later never carries what an earlier one depends on. */
  take<T>(admit: () => Promise<T>): Promise<T>
  /** Turns that have not ended. */
  waiting(): number
}

function createTurns(): Turns {
  let last: Promise<unknown> = Promise.resolve()
  let waiting = 0
  return {
    waiting: () => waiting,
    take(admit) {
      waiting++
      const mine = last.then(admit).finally(() => {
        waiting--
      })
      last = mine.catch(() => {})
      return mine
    },
  }
}

/** Answers per row, for those whose trace may have spans that memory has forgotten; null where there is none. */
async function askStore({ context, older, lookup }: AdmissionTurnsDeps, projectNo: number, prepared: PreparedTraces) {
  const { body, scan, keys } = prepared
  if (older.size() === 0) return null
  const rows: number[] = []
  for (let i = 0; i < scan.count; i++) {
    if (i % SLICE_ROWS === SLICE_ROWS - 1) await nextTurn()
    if (scan.reject[i] !== 0 || !older.mayHold(keys.traces[i * 2]!, keys.traces[i * 2 + 1]!)) continue
    if (context.seen.find(keys.spans[i * 2]!, keys.spans[i * 2 + 1]!) < 0) rows.push(i)
  }
  if (rows.length === 0) return null
  const refs = new Uint8Array(rows.length * SPAN_REF_BYTES)
  const view = new DataView(refs.buffer)
  rows.forEach((row, n) => {
    refs.set(body.subarray(scan.traceIdAt[row]!, scan.traceIdAt[row]! + 16), n * SPAN_REF_BYTES)
    refs.set(body.subarray(scan.spanIdAt[row]!, scan.spanIdAt[row]! + 8), n * SPAN_REF_BYTES + 16)
    view.setUint32(n * SPAN_REF_BYTES + 24, keys.contents[row]!, true)
  })
  const answers = await lookup.find(projectNo, refs)
  const stored = new Uint8Array(scan.count)
  rows.forEach((row, n) => {
    stored[row] = answers[n]!
  })
  return stored
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
