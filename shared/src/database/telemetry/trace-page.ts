/**
 * Entries of a run of traces: 40 bits of the trace's hash and the place of a member (a commit or a decision) in the run's
 * list. What is found is looked at again where it lies, so that two traces of the same 40 bits cost a look and no more.
 */
export interface TraceEntry {
  /** High word of the hash, unsigned. */
  high: number
  /** Low word of the hash, unsigned; its upper 8 bits are kept. */
  low: number
  member: number
}

/** Members of one run: their place takes a byte. */
export const RUN_MEMBERS_MAX = 256
const ENTRY_BYTES = 6
/** Entries a page: 90 % of a database page, since hashes fall unevenly into pages. */
export const ENTRIES_PER_PAGE = 1_200
const HALF_RANGE = 2 ** 32

export function pagesFor(entries: number): number {
  return Math.max(1, Math.ceil(entries / ENTRIES_PER_PAGE))
}

/** The page, of so many that each hold an equal share of all hashes, where a hash is. */
export function pageOf(high: number, pages: number): number {
  return Math.floor((high / HALF_RANGE) * pages)
}

/** One page after the other; `entries` are put into order. */
export function* encodePages(entries: TraceEntry[], pages: number): Generator<Uint8Array> {
  entries.sort((a, b) => a.high - b.high || a.low - b.low || a.member - b.member)
  let at = 0
  for (let page = 0; page < pages; page++) {
    const from = at
    while (at < entries.length && pageOf(entries[at]!.high, pages) === page) at++
    yield encodePage(entries, from, at)
  }
}

function encodePage(entries: readonly TraceEntry[], from: number, to: number): Uint8Array {
  const bytes = new Uint8Array((to - from) * ENTRY_BYTES)
  const view = new DataView(bytes.buffer)
  for (let i = from; i < to; i++) {
    const { high, low, member } = entries[i]!
    const at = (i - from) * ENTRY_BYTES
    view.setUint32(at, high)
    view.setUint8(at + 4, low >>> 24)
    view.setUint8(at + 5, member)
  }
  return bytes
}

/** All entries of a page, the cut-off bits as zero; `members` are added to by `shift`. */
export function decodePage(bytes: Uint8Array, shift = 0): TraceEntry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const entries: TraceEntry[] = []
  for (let at = 0; at + ENTRY_BYTES <= bytes.length; at += ENTRY_BYTES)
    entries.push({ high: view.getUint32(at), low: (view.getUint8(at + 4) << 24) >>> 0, member: view.getUint8(at + 5) + shift })
  return entries
}

/** The words of each hash in a page. */
export function eachInPage(page: Buffer, visit: (low: number, high: number) => void): void {
  for (let at = 0; at + ENTRY_BYTES <= page.length; at += ENTRY_BYTES) visit((page[at + 4]! << 24) >>> 0, page.readUInt32BE(at))
}

const NO_MEMBERS: readonly number[] = []

/** The members that hold a trace, lowest first. A question looks into thousands of pages, most of which hold none of it. */
export function findInPage(bytes: Uint8Array, high: number, low: number): readonly number[] {
  const top = low >>> 24
  let from = 0
  let to = Math.floor(bytes.length / ENTRY_BYTES)
  while (from < to) {
    const middle = (from + to) >>> 1
    const at = middle * ENTRY_BYTES
    const order = highAt(bytes, at) - high || bytes[at + 4]! - top
    if (order < 0) from = middle + 1
    else to = middle
  }
  let members: number[] | null = null
  for (let at = from * ENTRY_BYTES; at + ENTRY_BYTES <= bytes.length; at += ENTRY_BYTES) {
    if (highAt(bytes, at) !== high || bytes[at + 4] !== top) break
    members ??= []
    members.push(bytes[at + 5]!)
  }
  return members ?? NO_MEMBERS
}

function highAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
}
