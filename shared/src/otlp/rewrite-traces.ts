import type { TraceScan } from './scan-traces.ts'
import { readTag, skipField, varintEnd } from './wire.ts'

/** Field 1000 is the place where senders of before 2022 put their scopes. */
const OLD_SCOPE_SPANS_TAG = (1000 << 3) | 2

interface Cut {
  body: Uint8Array
  drop: Uint8Array
  /** Row of the scan that the next span met is. */
  row: number
}

/** A message with pieces taken out: what stays, as ranges of the body and rewritten submessages. */
interface Remains {
  pieces: Piece[]
  length: number
  /** Spans met and spans kept below it. */
  met: number
  kept: number
}

type Piece = { from: number; to: number } | { tagFrom: number; tagTo: number; content: Remains }

/**
 * The request that `scan` was made of, without the spans whose row in `drop` is not 0: envelope lengths are computed
 * anew, every other byte stays as it was sent. An envelope that loses its last span goes too, so that a resource is not
 * kept for nothing; one that was empty before stays.
 */
export function rewriteTraces(body: Uint8Array, scan: TraceScan, drop: Uint8Array): Uint8Array {
  if (!drop.subarray(0, scan.count).some((dropped) => dropped !== 0)) return body
  const cut: Cut = { body, drop, row: 0 }
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
  const remains: Remains = { pieces: [], length: 0, met: 0, kept: 0 }
  for (let p = start; p < end; ) {
    const tag = readTag(body, p, end)
    const tagEnd = varintEnd(body, p, end)
    const next = skipField(body, tag, tagEnd, end)
    const cutInner = inner(tag)
    const content = cutInner === null ? null : cutInner(cut, varintEnd(body, tagEnd, end), next)
    if (content === null || content.met === content.kept) keepRange(remains, p, next)
    else if (content.kept > 0) {
      remains.pieces.push({ tagFrom: p, tagTo: tagEnd, content })
      remains.length += tagEnd - p + varintSize(content.length) + content.length
    }
    remains.met += content?.met ?? 0
    remains.kept += content?.kept ?? 0
    p = next
  }
  return remains
}

function cutScopeSpans(cut: Cut, start: number, end: number): Remains {
  const { body, drop } = cut
  const remains: Remains = { pieces: [], length: 0, met: 0, kept: 0 }
  for (let p = start; p < end; ) {
    const tag = readTag(body, p, end)
    const next = skipField(body, tag, varintEnd(body, p, end), end)
    if (tag !== 0x12) keepRange(remains, p, next)
    else {
      remains.met++
      if (drop[cut.row++] === 0) {
        remains.kept++
        keepRange(remains, p, next)
      }
    }
    p = next
  }
  return remains
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
