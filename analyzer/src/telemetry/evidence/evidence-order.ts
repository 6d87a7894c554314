import { spanNumber } from '../records/judge-span.ts'

/** A failing record by name: enough to read it again. */
export interface EvidenceRow {
  traceId: Uint8Array
  spanId: Uint8Array
  recordId: string
  sessionId: string
  eventMs: number
}

interface Row {
  traceId: Uint8Array
  spanId: Uint8Array
  eventMs: number
}

/** A row with what it is ordered by. */
export type OrderedRow<R extends Row> = R & {
  /** Last bytes of the trace id first: they are random whoever made it. */
  order: string
  spanNumber: bigint
}

/** Where the part of a trace id begins that is random whoever made it. */
const RANDOM_AT = 9

export function ordered<R extends Row>(row: R): OrderedRow<R> {
  const text = Buffer.from(row.traceId.buffer, row.traceId.byteOffset, row.traceId.byteLength).toString('latin1')
  return { ...row, order: text.slice(RANDOM_AT) + text, spanNumber: spanNumber(row.spanId) }
}

/** In the order in which failures are shown, whether they are decided or not. */
export function inEvidenceOrder<R extends Row>(rows: readonly R[]): R[] {
  return preferred(rows.map(ordered), rows.length)
}

/** The latest first, then the first, then one of each trace before a second of any, by the random bytes of their trace ids. */
export function preferred<R extends Row>(rows: readonly OrderedRow<R>[], most: number): OrderedRow<R>[] {
  if (rows.length === 0) return []
  const all = rows.toSorted(byOrder)
  const turns = turnsOf(all)
  const latest = all.reduce((best, one) => (one.eventMs > best.eventMs ? one : best), all[0]!)
  const first = all.reduce((best, one) => (one.eventMs < best.eventMs ? one : best), all[0]!)
  const rankOf = (one: OrderedRow<R>) => (one === latest ? -2 : one === first ? -1 : (turns.get(one) ?? 0))
  return all
    .map((one) => ({ one, rank: rankOf(one) }))
    .sort((a, b) => a.rank - b.rank)
    .slice(0, most)
    .map(({ one }) => one)
}

function byOrder(a: OrderedRow<Row>, b: OrderedRow<Row>): number {
  if (a.order !== b.order) return a.order < b.order ? -1 : 1
  return a.spanNumber === b.spanNumber ? 0 : a.spanNumber < b.spanNumber ? -1 : 1
}

/** Of failures that are not the earliest of their trace, how many of it come before. */
function turnsOf<R extends Row>(all: readonly OrderedRow<R>[]): Map<OrderedRow<R>, number> {
  const turns = new Map<OrderedRow<R>, number>()
  for (let from = 0; from < all.length; ) {
    let to = from + 1
    while (to < all.length && all[to]!.order === all[from]!.order) to++
    if (to - from > 1) {
      const ofTrace = all.slice(from, to).sort((a, b) => a.eventMs - b.eventMs || (a.spanNumber < b.spanNumber ? -1 : 1))
      ofTrace.forEach((one, turn) => void turns.set(one, turn))
    }
    from = to
  }
  return turns
}
