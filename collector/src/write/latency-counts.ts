import { compareExemplars, EXEMPLARS_MAX, type Exemplar } from '@loopkit/shared/rollup/exemplars'
import { binOf } from '@loopkit/shared/rollup/sketch'
import { HOUR_MS } from '@loopkit/shared/rollup/sketch-delta'
import type { SpanFacts } from './shape-hash.ts'
import type { RunKey } from './shape-memo.ts'
import type { SlowestStored } from './slowest-stored.ts'

/** How long runs of one operation and release took that ended in one hour. */
export interface LatencyCount {
  runKey: RunKey
  hour: number
  /** One for each run. */
  bins: number[]
  exemplars: Exemplar[]
}

/** Counts how long spans took, body by body. */
export interface LatencyCounts {
  add(runKey: RunKey, facts: SpanFacts, body: Uint8Array): void
  finish(): LatencyCount[]
}

/** What takes less is fast, whatever is usual: of one bin. */
const FAST_BELOW_MS = 5
/** What takes less is no example of a slow run. */
const EXEMPLAR_MIN_MS = 50
/** Operations and hours that one commit may add for a project; spans beyond them are not timed. */
const COUNTS_MAX = 2_000
const TRACE_ID_BYTES = 16
const SPAN_ID_BYTES = 8

interface Counter extends LatencyCount {
  /** Below it a run is none of the slowest. */
  leastMs: number
}

/** Of the hot path: every span passes it, and a commit should not notice. */
export function createLatencyCounts(stored: SlowestStored): LatencyCounts {
  const counters = new Map<RunKey, Counter>()
  const others: Counter[] = []

  function next(runKey: RunKey, hour: number): Counter | undefined {
    const known = counters.get(runKey)
    const at = known ? others.findIndex((one) => one.runKey === runKey && one.hour === hour) : -1
    if (at < 0 && counters.size + others.length >= COUNTS_MAX) return undefined
    const counter = at < 0 ? newCounter(stored, runKey, hour) : others[at]!
    if (at >= 0) others[at] = known!
    else if (known) others.push(known)
    counters.set(runKey, counter)
    return counter
  }

  return {
    add(runKey, facts, body) {
      const ms = facts.endMs - facts.startMs
      if (facts.startMs === 0 || ms < 0) return
      const hour = Math.floor(facts.endMs / HOUR_MS)
      let counter = counters.get(runKey)
      if (counter === undefined || counter.hour !== hour) {
        counter = next(runKey, hour)
        if (counter === undefined) return
      }
      counter.bins.push(ms < FAST_BELOW_MS ? 0 : binOf(ms))
      if (ms >= counter.leastMs) offer(counter, ms, facts, body)
    },
    finish: () => (others.length === 0 ? [...counters.values()] : [...others, ...counters.values()]),
  }
}

/** After the commit that stored these. */
export function noteStored(stored: SlowestStored, counts: readonly LatencyCount[]): void {
  for (const { runKey, hour, exemplars } of counts) {
    if (exemplars.length === 0) continue
    const known = stored.get(runKey)
    if (known && known.hour > hour) continue
    const before = known?.hour === hour ? known.valuesMs : []
    const valuesMs = [...before, ...exemplars.map(({ value }) => value)].sort((a, b) => b - a).slice(0, EXEMPLARS_MAX)
    stored.set(runKey, { hour, valuesMs })
  }
}

function newCounter(stored: SlowestStored, runKey: RunKey, hour: number): Counter {
  const known = stored.get(runKey)
  const leastMs = (known?.hour === hour ? known.valuesMs[EXEMPLARS_MAX - 1] : undefined) ?? EXEMPLAR_MIN_MS
  return { runKey, hour, bins: [], exemplars: [], leastMs }
}

/** Keeps the list in order and no longer than it may be. */
function offer(counter: Counter, ms: number, { endMs, traceIdAt, spanIdAt }: SpanFacts, body: Uint8Array): void {
  const exemplar = {
    value: ms,
    eventMs: endMs,
    traceId: new Uint8Array(body.subarray(traceIdAt, traceIdAt + TRACE_ID_BYTES)),
    spanId: new Uint8Array(body.subarray(spanIdAt, spanIdAt + SPAN_ID_BYTES)),
  }
  const { exemplars } = counter
  let at = exemplars.length
  while (at > 0 && compareExemplars(exemplar, exemplars[at - 1]!) < 0) at--
  exemplars.splice(at, 0, exemplar)
  if (exemplars.length > EXEMPLARS_MAX) exemplars.pop()
  if (exemplars.length === EXEMPLARS_MAX) counter.leastMs = Math.max(counter.leastMs, exemplars[EXEMPLARS_MAX - 1]!.value)
}
