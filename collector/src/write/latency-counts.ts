import { EXEMPLARS_MAX, type Exemplar, joinExemplars } from '@loopkit/shared/rollup/exemplars'
import { binOf } from '@loopkit/shared/rollup/sketch'
import { HOUR_MS } from '@loopkit/shared/rollup/sketch-delta'
import type { SpanFacts } from './shape-hash.ts'
import type { RunKey } from './shape-memo.ts'

/** How long runs of one operation and release took that ended in one hour. */
export interface LatencyCount extends RunKey {
  hour: number
  bins: Map<number, number>
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

/** Of the hot path: some 60 ns a span. */
export function createLatencyCounts(): LatencyCounts {
  const counters = new Map<RunKey, Counter>()
  const earlier: Counter[] = []

  function next(runKey: RunKey, hour: number): Counter | undefined {
    const known = counters.get(runKey)
    if (counters.size + earlier.length >= COUNTS_MAX) return undefined
    if (known) earlier.push(known)
    const at = earlier.findIndex(
      (one) => one.hour === hour && one.operation === runKey.operation && one.service === runKey.service,
    )
    const counter =
      at < 0 ? { ...runKey, hour, bins: new Map(), exemplars: [], leastMs: EXEMPLAR_MIN_MS } : earlier.splice(at, 1)[0]!
    counters.set(runKey, counter)
    return counter
  }

  return {
    add(runKey, facts, body) {
      const ms = facts.endMs - facts.startMs
      if (facts.startMs === 0 || ms < 0) return
      const hour = Math.floor(facts.endMs / HOUR_MS)
      let counter = counters.get(runKey)
      if (counter?.hour !== hour) counter = next(runKey, hour)
      if (!counter) return
      const bin = ms < FAST_BELOW_MS ? 0 : binOf(ms)
      counter.bins.set(bin, (counter.bins.get(bin) ?? 0) + 1)
      if (ms >= counter.leastMs) offer(counter, ms, facts, body)
    },
    finish: () => [...earlier, ...counters.values()],
  }
}

function offer(counter: Counter, ms: number, { endMs, traceIdAt, spanIdAt }: SpanFacts, body: Uint8Array): void {
  const exemplar = {
    value: ms,
    eventMs: endMs,
    traceId: new Uint8Array(body.subarray(traceIdAt, traceIdAt + TRACE_ID_BYTES)),
    spanId: new Uint8Array(body.subarray(spanIdAt, spanIdAt + SPAN_ID_BYTES)),
  }
  counter.exemplars = joinExemplars([...counter.exemplars, exemplar])
  if (counter.exemplars.length === EXEMPLARS_MAX) counter.leastMs = counter.exemplars[EXEMPLARS_MAX - 1]!.value
}
