import type { AttributeFilter } from '@loopkit/shared/otlp/attribute-filter'
import { wantsPrefix } from '@loopkit/shared/otlp/attribute-filter'
import { findByteKey } from '@loopkit/shared/otlp/byte-keys'
import { usualKeyAt } from '@loopkit/shared/otlp/key-value-form'
import { readTag, readVarint, skipField, varintEnd } from '@loopkit/shared/otlp/wire'

/** Where a span's own facts lie in the body, and the hash of everything else that the index reads. */
export interface SpanFacts {
  traceIdAt: number
  spanIdAt: number
  /** Milliseconds since the epoch, clamped below 2^63 ns; 0 where it is absent. */
  startMs: number
  endMs: number
  ended: boolean
  hashLow: number
  hashHigh: number
}

/** A place for the result that is made once: this runs per span. */
export function createSpanFacts(): SpanFacts {
  return { traceIdAt: 0, spanIdAt: 0, startMs: 0, endMs: 0, ended: false, hashLow: 0, hashHigh: 0 }
}

const NAME = 0x2a
const KIND = 0x30
const TRACE_STATE = 0x1a
const STATUS = 0x7a
const ATTRIBUTE = 0x4a
const EVENT = 0x5a
const EVENT_TIME = 0x09

/**
 * Walks the Span message at `start` and hashes what view and detection depend on: name, kind, tracestate, status, wanted
 * attributes and events without their times. Ids, times and links are left out: spans that differ only there are of one shape. `facts.hash*` go
 * in as the hash of the resource. The body was walked and checked before.
 */
export function readShape(
  body: Uint8Array,
  view: DataView,
  start: number,
  end: number,
  filter: AttributeFilter,
  facts: SpanFacts,
): void {
  facts.traceIdAt = 0
  facts.spanIdAt = 0
  facts.startMs = 0
  facts.endMs = 0
  facts.ended = false
  for (let p = start; p < end; ) {
    let tag = body[p]!
    if (tag < 0x80) p++
    else {
      tag = readTag(body, p, end)
      p = varintEnd(body, p, end)
    }
    if ((tag & 7) !== 2) {
      const next = skipField(body, tag, p, end)
      if (tag === 0x39) facts.startMs = readMs(view, p)
      else if (tag === 0x41) {
        facts.endMs = readMs(view, p)
        facts.ended = view.getUint32(p, true) !== 0 || view.getUint32(p + 4, true) !== 0
      } else if (tag === KIND) mix(view, p, next, tag, facts)
      p = next
      continue
    }
    let length = body[p]!
    if (length < 0x80) p++
    else {
      length = readVarint(body, p, end)
      p = varintEnd(body, p, end)
    }
    const next = p + length
    if (tag === ATTRIBUTE) {
      if (isWanted(body, p, next, filter)) mix(view, p, next, tag, facts)
    } else if (tag === NAME || tag === STATUS || tag === TRACE_STATE) mix(view, p, next, tag, facts)
    else if (tag === EVENT) mixEvent(body, view, p, next, facts)
    else if (tag === 0x0a) facts.traceIdAt = p
    else if (tag === 0x12) facts.spanIdAt = p
    p = next
  }
}

/** Adds a resource or any other range to the hash in `facts`. */
export function mix(view: DataView, start: number, end: number, tag: number, facts: SpanFacts): void {
  let low = facts.hashLow ^ tag
  let high = facts.hashHigh ^ (end - start)
  let p = start
  for (; p + 4 <= end; p += 4) {
    const word = view.getInt32(p, true)
    low = Math.imul(low ^ word, 0xcc9e2d51)
    high = Math.imul(high ^ word, 0x85ebca6b)
    low ^= low >>> 15
    high ^= high >>> 13
  }
  let rest = 0
  for (; p < end; p++) rest = (rest << 8) | view.getUint8(p)
  low = Math.imul(low ^ rest, 0x1b873593)
  high = Math.imul(high ^ rest, 0xc2b2ae35)
  facts.hashLow = low ^ (low >>> 16)
  facts.hashHigh = high ^ (high >>> 15)
}

function mixEvent(body: Uint8Array, view: DataView, start: number, end: number, facts: SpanFacts): void {
  for (let p = start; p < end; ) {
    const tag = readTag(body, p, end)
    p = varintEnd(body, p, end)
    const next = skipField(body, tag, p, end)
    if (tag !== EVENT_TIME) mix(view, p, next, tag, facts)
    p = next
  }
  // Two events of one attribute each are not one event of two.
  mix(view, end, end, EVENT, facts)
}

/** A KeyValue of an unusual form is taken for wanted: that costs a look-up, never a mistake. */
function isWanted(body: Uint8Array, start: number, end: number, filter: AttributeFilter): boolean {
  const keyAt = usualKeyAt(body, start, end)
  if (keyAt < 0) return true
  const keyEnd = keyAt + body[keyAt - 1]!
  return findByteKey(filter.keys, body, keyAt, keyEnd) >= 0 || wantsPrefix(filter, body, keyAt, keyEnd)
}

/** 2^32 = 4294 · 10^6 + 967296, so that the division is exact without a bigint. */
function readMs(view: DataView, at: number): number {
  const low = view.getUint32(at, true)
  const high = Math.min(view.getUint32(at + 4, true), 0x7fffffff)
  return high * 4294 + Math.floor((high * 967_296 + low) / 1_000_000)
}
