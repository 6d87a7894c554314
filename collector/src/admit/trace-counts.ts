/** What became of spans that are not stored, by trace: entries that go with those of the ledger and through the same commit. */
export interface TraceCounts {
  /** Words of the trace's hash. */
  add(low: number, high: number, what: string, count: number): void
  entries(): Map<string, number>
}

/** Begins what a count of one trace is called: this, 16 digits of its hash, a space and what the ledger calls it. */
const PREFIX = 'trace '
const HASH_DIGITS = 16
/** Some spans of a body are not in these counts: there were too many traces. */
export const TRACES_FORGOTTEN = `${PREFIX}forgotten`

/** Different counts of one body; an exporter that repeats a body of 512 spans has one for each of its traces. */
const COUNTS_MAX = 1_000

export function createTraceCounts(countsMax = COUNTS_MAX): TraceCounts {
  const counts = new Map<string, number>()
  // Neighbours are mostly of one trace, and the same happens to them.
  let last = { low: 0, high: 0, what: '', key: '' }
  return {
    add(low, high, what, count) {
      if (last.low !== low || last.high !== high || last.what !== what) {
        if (counts.size >= countsMax) return void counts.set(TRACES_FORGOTTEN, 1)
        last = { low, high, what, key: `${PREFIX}${hex(high)}${hex(low)} ${what}` }
      }
      counts.set(last.key, (counts.get(last.key) ?? 0) + count)
    },
    entries: () => counts,
  }
}

export function isTraceCount(what: string): boolean {
  return what.startsWith(PREFIX)
}

/** null where it says that some are missing. `traceHash` is signed, as SQLite has it. */
export function parseTraceCount(key: string): { traceHash: bigint; what: string } | null {
  if (key === TRACES_FORGOTTEN) return null
  const hash = key.slice(PREFIX.length, PREFIX.length + HASH_DIGITS)
  return { traceHash: BigInt.asIntN(64, BigInt(`0x${hash}`)), what: key.slice(PREFIX.length + HASH_DIGITS + 1) }
}

function hex(word: number): string {
  return word.toString(16).padStart(8, '0')
}
