import { toHex } from '../otlp/ids.ts'
import type { TraceSpan } from './model.ts'

/** No parent, or one that is not in the trace. */
export const NO_PARENT = -1

/** A trace's spans, each once, with links that are sure to end: what blame and sessions walk. */
export interface TraceTree {
  /** By start time, then span id: the same for every order of arrival. */
  spans: TraceSpan[]
  /** Hex span ids. */
  ids: string[]
  /** Index of the parent, or `NO_PARENT`. */
  parents: Int32Array
  /** Every index once, parents before their children. */
  topDown: Int32Array
}

/**
 * Builds the tree of one trace from spans in any order. Of two versions of a span the ended one counts. Spans whose parent is missing,
 * or is the span itself, are roots; a cycle is cut above its smallest span id. Iterative: a chain may be as long as the trace.
 */
export function buildTraceTree(input: readonly TraceSpan[]): TraceTree {
  const byId = new Map<string, TraceSpan>()
  for (const candidate of input) {
    const id = toHex(candidate.span.spanId)
    const known = byId.get(id)
    if (known === undefined || compareVersions(candidate, known) < 0) byId.set(id, candidate)
  }
  const ids = [...byId.keys()].sort(
    (a, b) => compareBigInts(byId.get(a)!.span.startUnixNano, byId.get(b)!.span.startUnixNano) || compareTexts(a, b),
  )
  const spans = ids.map((id) => byId.get(id)!)
  const indexOf = new Map(ids.map((id, i) => [id, i]))
  const parents = Int32Array.from(spans, ({ span }, i) => {
    const parent = span.parentSpanId === null ? undefined : indexOf.get(toHex(span.parentSpanId))
    return parent === undefined || parent === i ? NO_PARENT : parent
  })
  cutCycles(parents, ids)
  return { spans, ids, parents, topDown: orderTopDown(parents) }
}

/** The ended one first, then a choice that does not depend on order: earlier start, later end, failing, name. */
function compareVersions(a: TraceSpan, b: TraceSpan): number {
  const unended = Number(a.span.endUnixNano === 0n) - Number(b.span.endUnixNano === 0n)
  return (
    unended ||
    compareBigInts(a.span.startUnixNano, b.span.startUnixNano) ||
    compareBigInts(b.span.endUnixNano, a.span.endUnixNano) ||
    b.span.status.code - a.span.status.code ||
    compareTexts(a.span.name, b.span.name) ||
    compareTexts(a.span.status.message, b.span.status.message) ||
    b.span.attributes.size - a.span.attributes.size
  )
}

function cutCycles(parents: Int32Array, ids: string[]): void {
  const visitedBy = new Int32Array(parents.length).fill(-1)
  for (let start = 0; start < parents.length; start++) {
    let at = start
    while (at !== NO_PARENT && visitedBy[at] === -1) {
      visitedBy[at] = start
      at = parents[at]!
    }
    if (at !== NO_PARENT && visitedBy[at] === start) parents[smallestOfCycle(parents, ids, at)] = NO_PARENT
  }
}

function smallestOfCycle(parents: Int32Array, ids: string[], from: number): number {
  let smallest = from
  for (let at = parents[from]!; at !== from; at = parents[at]!) if (ids[at]! < ids[smallest]!) smallest = at
  return smallest
}

function orderTopDown(parents: Int32Array): Int32Array {
  const count = parents.length
  // Children of each span lie side by side: firstChild[p] … firstChild[p + 1].
  const firstChild = new Int32Array(count + 1)
  for (const parent of parents) if (parent !== NO_PARENT) firstChild[parent + 1]!++
  for (let i = 0; i < count; i++) firstChild[i + 1]! += firstChild[i]!
  const next = firstChild.slice()
  const children = new Int32Array(count)
  const order = new Int32Array(count)
  let length = 0
  for (let i = 0; i < count; i++) {
    const parent = parents[i]!
    if (parent === NO_PARENT) order[length++] = i
    else children[next[parent]!++] = i
  }
  for (let read = 0; read < length; read++) {
    const at = order[read]!
    for (let c = firstChild[at]!; c < firstChild[at + 1]!; c++) order[length++] = children[c]!
  }
  return order
}

export function compareBigInts(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0
}

export function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
