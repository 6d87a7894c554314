import type { TraceScan } from './scan-traces.ts'
import { readTag, skipField, varintEnd } from './wire.ts'

/** Field 1000 is the place where senders of before 2022 put their scopes. */
const OLD_SCOPE_SPANS_TAG = (1000 << 3) | 2

interface Cut {
  body: Uint8Array
  drop: Uint8Array
  /** Row of the scan that the next span met is. */
  row: number
  addition: Addition
}

/** Fields that the record of this row gets behind its own; null: it stays as it is. */
type Addition = (row: number) => Uint8Array | null

/** A message with pieces taken out: what stays, as ranges of the body and rewritten submessages. */
interface Remains {
  pieces: Piece[]
  length: number
  /** Spans met and spans kept below it. */
  met: number
  kept: number
  /** Something was added in it. */
  isGrown: boolean
}

type Piece = { from: number; to: number } | { tagFrom: number; tagTo: number; content: Remains } | { added: Uint8Array }

/**
 * The request that `scan` was made of, without the spans whose row in `drop` is not 0: envelope lengths are computed
 * anew, every other byte stays as it was sent. An envelope that loses its last span goes too, so that a resource is not
 * kept for nothing; one that was empty before stays.
 */
export function rewriteTraces(body: Uint8Array, scan: TraceScan, drop: Uint8Array): Uint8Array {
  return drop.subarray(0, scan.count).some((dropped) => dropped !== 0)
    ? rewrite({ body, drop, row: 0, addition: () => null })
    : body
}

/** The same request with more fields in its records. */
export function addToRecords(body: Uint8Array, scan: TraceScan, addition: Addition): Uint8Array {
  return rewrite({ body, drop: new Uint8Array(scan.count), row: 0, addition })
}

function rewrite(cut: Cut): Uint8Array {
  const { body } = cut
  const remains = cutMessage(cut, 0, body.length, (tag) => (tag === 0x0a ? cutResourceSpans : null))
  const out = new Uint8Array(remains.length)
  writeRemains(out, 0, body, remains)
  return out
}

type CutContent = (cut: Cut, start: number, end: number) => Remains

function cutResourceSpans(cut: Cut, start: number, end: number): Remains {
  return cutMessage(cut, start, end, (tag) => (tag === 0x12 || tag === OLD_SCOPE_SPANS_TAG ? cutScopeSpans : null))
}

function cutMessage(cut: Cut, start: number, end: number, inner: (tag: number) => CutContent | null): Remains {
  const { body } = cut
  const remains: Remains = { pieces: [], length: 0, met: 0, kept: 0, isGrown: false }
  for (let p = start; p < end; ) {
    const tag = readTag(body, p, end)
    const tagEnd = varintEnd(body, p, end)
    const next = skipField(body, tag, tagEnd, end)
    const cutInner = inner(tag)
    const content = cutInner === null ? null : cutInner(cut, varintEnd(body, tagEnd, end), next)
    if (content === null || isUnchanged(content)) keepRange(remains, p, next)
    else if (content.kept > 0) keepChanged(remains, p, tagEnd, content)
    remains.met += content?.met ?? 0
    remains.kept += content?.kept ?? 0
    p = next
  }
  return remains
}

function cutScopeSpans(cut: Cut, start: number, end: number): Remains {
  const { body, drop } = cut
  const remains: Remains = { pieces: [], length: 0, met: 0, kept: 0, isGrown: false }
  for (let p = start; p < end; ) {
    const tag = readTag(body, p, end)
    const next = skipField(body, tag, varintEnd(body, p, end), end)
    if (tag !== 0x12) keepRange(remains, p, next)
    else {
      remains.met++
      const row = cut.row++
      if (drop[row] === 0) {
        remains.kept++
        const added = cut.addition(row)
        if (added === null) keepRange(remains, p, next)
        else
          keepChanged(
            remains,
            p,
            varintEnd(body, p, end),
            withAddition(varintEnd(body, varintEnd(body, p, end), end), next, added),
          )
      }
    }
    p = next
  }
  return remains
}

function withAddition(from: number, to: number, added: Uint8Array): Remains {
  return { pieces: [{ from, to }, { added }], length: to - from + added.length, met: 0, kept: 0, isGrown: true }
}

function isUnchanged({ met, kept, isGrown }: Remains): boolean {
  return met === kept && !isGrown
}

function keepChanged(remains: Remains, tagFrom: number, tagTo: number, content: Remains): void {
  remains.pieces.push({ tagFrom, tagTo, content })
  remains.length += tagTo - tagFrom + varintSize(content.length) + content.length
  if (content.isGrown) remains.isGrown = true
}

/** Neighbours grow into one range, so that a body with one bad span is copied in two pieces. */
function keepRange(remains: Remains, from: number, to: number): void {
  remains.length += to - from
  const last = remains.pieces.at(-1)
  if (last !== undefined && 'to' in last && last.to === from) last.to = to
  else remains.pieces.push({ from, to })
}

function writeRemains(out: Uint8Array, start: number, body: Uint8Array, remains: Remains): number {
  let at = start
  for (const piece of remains.pieces) {
    if ('content' in piece) {
      out.set(body.subarray(piece.tagFrom, piece.tagTo), at)
      at = writeVarint(out, at + piece.tagTo - piece.tagFrom, piece.content.length)
      at = writeRemains(out, at, body, piece.content)
    } else if ('added' in piece) {
      out.set(piece.added, at)
      at += piece.added.length
    } else {
      out.set(body.subarray(piece.from, piece.to), at)
      at += piece.to - piece.from
    }
  }
  return at
}

function varintSize(value: number): number {
  let size = 1
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 128)) size++
  return size
}

function writeVarint(out: Uint8Array, at: number, value: number): number {
  let p = at
  let rest = value
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) out[p++] = (rest & 0x7f) | 0x80
  out[p++] = rest
  return p
}
