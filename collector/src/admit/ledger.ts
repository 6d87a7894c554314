import { isTraceCount, TRACES_FORGOTTEN } from './trace-counts.ts'

/** Counts by what happened, as the `ledger` table names it: `deduplicated`, `rejected:trace_id_zero`, `not_kept:logs` … */
export type LedgerCounts = Map<string, number>

/**
 * Counts of single traces that wait for one commit: while none succeeds, as on a full disk, they must not grow for ever.
 */
const TRACE_COUNTS_MAX = 5_000

/** Counts that wait for the next commit. Those of spans that are stored ride with their own body instead. */
export interface Ledger {
  add(projectNo: number, what: string, count: number): void
  addAll(projectNo: number, counts: LedgerCounts): void
  /** Takes everything out, to be written; on failure it comes back through `addAll`. */
  drain(): [projectNo: number, what: string, count: number][]
  isEmpty(): boolean
}

export function createLedger(): Ledger {
  const projects = new Map<number, LedgerCounts>()
  let traceCounts = 0
  const add = (projectNo: number, what: string, count: number) => {
    let counts = projects.get(projectNo)
    if (!counts) {
      counts = new Map()
      projects.set(projectNo, counts)
    }
    if (isTraceCount(what) && !counts.has(what) && ++traceCounts > TRACE_COUNTS_MAX) counts.set(TRACES_FORGOTTEN, 1)
    else addCount(counts, what, count)
  }
  return {
    add,
    addAll(projectNo, counts) {
      for (const [what, count] of counts) add(projectNo, what, count)
    },
    drain() {
      const rows = [...projects].flatMap(([projectNo, counts]) =>
        [...counts].map(([what, count]): [number, string, number] => [projectNo, what, count]),
      )
      projects.clear()
      traceCounts = 0
      return rows
    },
    isEmpty: () => projects.size === 0,
  }
}

export function addCount(counts: LedgerCounts, what: string, count: number): void {
  if (count !== 0) counts.set(what, (counts.get(what) ?? 0) + count)
}
