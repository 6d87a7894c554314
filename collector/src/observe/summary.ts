import type { LedgerCounts } from '../admit/ledger.ts'
import { addCount } from '../admit/ledger.ts'

/** Counts since the last summary line. */
export interface Summary {
  noteAccepted(spans: number): void
  /** `deduplicated`, `rejected:<reason>` … of spans, as the ledger names them. */
  noteCounts(counts: LedgerCounts): void
  noteRefused(code: string): void
  noteNotKept(what: string, records: number): void
  /** From the whole request read to its answer, in ms. */
  noteAcknowledged(ms: number): void
  drain(): SummaryLine
}

/** What became of spans that were not accepted. */
export interface CountFields {
  rejected: Record<string, number>
  deduplicated: number
  replaced: number
  conflict: number
}

export interface SummaryLine extends CountFields {
  accepted: number
  not_kept: Record<string, number>
  refused_requests: Record<string, number>
  lag_p99_ms: number | null
}

/** Acknowledgements kept for the quantile; beyond it a random one is replaced, so that all of the time counts. */
const LAGS_MAX = 4096
const REJECTED = 'rejected:'

export function createSummary(random: () => number): Summary {
  let accepted = 0
  let counts: LedgerCounts = new Map()
  let refused: LedgerCounts = new Map()
  let notKept: LedgerCounts = new Map()
  let lags: number[] = []
  let lagsSeen = 0

  return {
    noteAccepted: (spans) => {
      accepted += spans
    },
    noteCounts(more) {
      for (const [what, count] of more) addCount(counts, what, count)
    },
    noteRefused: (code) => addCount(refused, code, 1),
    noteNotKept: (what, records) => addCount(notKept, what, records),
    noteAcknowledged(ms) {
      lagsSeen++
      if (lags.length < LAGS_MAX) lags.push(ms)
      else {
        const at = Math.floor(random() * lagsSeen)
        if (at < LAGS_MAX) lags[at] = ms
      }
    },
    drain() {
      const line: SummaryLine = {
        accepted,
        ...countFields(counts),
        not_kept: Object.fromEntries(notKept),
        refused_requests: Object.fromEntries(refused),
        lag_p99_ms: quantile(lags, 0.99),
      }
      accepted = 0
      counts = new Map()
      refused = new Map()
      notKept = new Map()
      lags = []
      lagsSeen = 0
      return line
    },
  }
}

/** Counts of the ledger as fields of a line. */
export function countFields(counts: LedgerCounts): CountFields {
  return {
    rejected: Object.fromEntries(
      [...counts].filter(([what]) => what.startsWith(REJECTED)).map(([what, n]) => [what.slice(REJECTED.length), n]),
    ),
    deduplicated: counts.get('deduplicated') ?? 0,
    replaced: counts.get('replaced') ?? 0,
    conflict: counts.get('conflict') ?? 0,
  }
}

function quantile(values: number[], q: number): number | null {
  if (values.length === 0) return null
  const sorted = values.toSorted((a, b) => a - b)
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))]! * 10) / 10
}
