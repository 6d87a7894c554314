import { SPAN_ID_BYTES, TRACE_ID_BYTES } from './ids.ts'
import { createSpanTable, growSpanTable, type SpanTable } from './span-table.ts'
import { keyValueFits } from './walk-any-value.ts'
import { ABSENT, malformedProtobuf, readTag, readVarint, readVarint32, skipField, varintEnd } from './wire.ts'

/** Why a span is refused, alone: its neighbours are stored. A scan's `reject` holds the index; 0 is accepted. */
export const REJECT_REASONS = [
  'accepted',
  'trace_id_empty',
  'trace_id_zero',
  'trace_id_wrong_length',
  'span_id_empty',
  'span_id_zero',
  'span_id_wrong_length',
  'parent_id_wrong_length',
  'value_too_deep',
] as const

const ACCEPTED = 0
const TRACE_ID_EMPTY = REJECT_REASONS.indexOf('trace_id_empty')
const SPAN_ID_EMPTY = REJECT_REASONS.indexOf('span_id_empty')
const PARENT_ID_WRONG_LENGTH = REJECT_REASONS.indexOf('parent_id_wrong_length')
const TOO_DEEP = REJECT_REASONS.indexOf('value_too_deep')

/** What is wrong with an id, in the order of its reasons above. */
const SOUND = 0
const EMPTY = 1
const ZERO = 2
const WRONG_LENGTH = 3

/** Bodies of the demo capture have about 700 bytes a span; a wrong guess costs one doubling. */
const GUESSED_SPAN_BYTES = 384

/**
 * The spans of a request, one row each in wire order. Offsets point into the body that was scanned; a parent that is
 * absent or all zero is `ABSENT` (0xffffffff), so are ids of a span refused for them.
 */
export interface TraceScan {
  count: number
  spanStart: Uint32Array
  spanEnd: Uint32Array
  traceIdAt: Uint32Array
  spanIdAt: Uint32Array
  parentIdAt: Uint32Array
  startNano: BigUint64Array
  endNano: BigUint64Array
  reject: Uint8Array
  /** 1 where the status is an error or an event is named `exception`. */
  hasError: Uint8Array
}

interface Walk {
  body: Uint8Array
  table: SpanTable
  count: number
  levels: number
  /** About the span that is being walked. */
  traceFault: number
  spanFault: number
  parentFault: number
  statusCode: number
  exception: boolean
  fits: boolean
}

/** Field 1000 is the place where senders of before 2022 put their scopes. */
const OLD_SCOPE_SPANS_TAG = (1000 << 3) | 2

/**
 * Walks an ExportTraceServiceRequest once and says where its spans, their ids and times are. The whole request is
 * checked: `OtlpDecodeError` means that it is no protobuf (400). Fields may come in any order, unknown ones and groups
 * are skipped, scalars that repeat count by the last. A span with unusable ids, or with an AnyValue nested deeper
 * than `anyValueDepthMax` in it or in its resource or scope, is marked in `reject`. A time that is absent is 0.
 */
export function scanTraces(body: Uint8Array, limits: { anyValueDepthMax: number }): TraceScan {
  const capacity = Math.ceil(body.length / GUESSED_SPAN_BYTES) + 8
  const walk: Walk = {
    body,
    table: createSpanTable(capacity),
    count: 0,
    levels: limits.anyValueDepthMax,
    traceFault: EMPTY,
    spanFault: EMPTY,
    parentFault: EMPTY,
    statusCode: 0,
    exception: false,
    fits: true,
  }
  scanRequest(walk)
  const { table, count } = walk
  return {
    count,
    spanStart: table.spanStart.subarray(0, count),
    spanEnd: table.spanEnd.subarray(0, count),
    traceIdAt: table.traceIdAt.subarray(0, count),
    spanIdAt: table.spanIdAt.subarray(0, count),
    parentIdAt: table.parentIdAt.subarray(0, count),
    startNano: table.startNano.subarray(0, count),
    endNano: table.endNano.subarray(0, count),
    reject: table.reject.subarray(0, count),
    hasError: table.hasError.subarray(0, count),
  }
}

function scanRequest(walk: Walk): void {
  const { body } = walk
  const end = body.length
  let p = 0
  while (p < end) {
    const tag = readTag(body, p, end)
    p = varintEnd(body, p, end)
    const next = skipField(body, tag, p, end)
    if (tag === 0x0a) scanResourceSpans(walk, varintEnd(body, p, end), next)
    p = next
  }
}

function scanResourceSpans(walk: Walk, start: number, end: number): void {
  const { body } = walk
  const first = walk.count
  let fits = true
  let p = start
  while (p < end) {
    const tag = readTag(body, p, end)
    p = varintEnd(body, p, end)
    const next = skipField(body, tag, p, end)
    if (tag === 0x12 || tag === OLD_SCOPE_SPANS_TAG) scanScopeSpans(walk, varintEnd(body, p, end), next)
    else if (tag === 0x0a && !attributesFit(body, varintEnd(body, p, end), next, 0x0a, walk.levels)) fits = false
    p = next
  }
  if (!fits) rejectFrom(walk, first)
}

function scanScopeSpans(walk: Walk, start: number, end: number): void {
  const { body, table } = walk
  const first = walk.count
  let fits = true
  let p = start
  while (p < end) {
    const tag = readTag(body, p, end)
    p = varintEnd(body, p, end)
    const next = skipField(body, tag, p, end)
    if (tag === 0x12) {
      if (walk.count === table.capacity) growSpanTable(table)
      scanSpan(walk, varintEnd(body, p, end), next)
      walk.count++
    } else if (tag === 0x0a && !attributesFit(body, varintEnd(body, p, end), next, 0x1a, walk.levels)) fits = false
    p = next
  }
  if (!fits) rejectFrom(walk, first)
}

function rejectFrom(walk: Walk, first: number): void {
  const { reject } = walk.table
  for (let i = first; i < walk.count; i++) if (reject[i] === ACCEPTED) reject[i] = TOO_DEEP
}

function scanSpan(walk: Walk, start: number, end: number): void {
  const { body, table, levels } = walk
  const row = walk.count
  beginSpan(walk)
  let p = start
  while (p < end) {
    let tag = body[p++]!
    if (tag >= 0x80) {
      tag = readTag(body, p - 1, end)
      p = varintEnd(body, p - 1, end)
    }
    if ((tag & 7) !== 2) {
      if (tag === 0x39) writeTime(table.startWords, row, body, p)
      else if (tag === 0x41) writeTime(table.endWords, row, body, p)
      p = skipField(body, tag, p, end)
      continue
    }
    let length = body[p++]!
    if (length >= 0x80) {
      if (body[p]! < 0x80) length = (length & 0x7f) | (body[p++]! << 7)
      else {
        length = readVarint(body, p - 1, end)
        p = varintEnd(body, p - 1, end)
      }
    }
    const at = p
    p += length
    // Also true for NaN, which is what reading behind the body gives.
    if (!(p <= end)) break
    if (tag !== 0x4a) scanSpanField(walk, tag, at, p)
    else if (!keyValueFits(body, at, p, levels)) walk.fits = false
  }
  if (p !== end) throw malformedProtobuf('truncated span', start)
  table.spanStart[row] = start
  table.spanEnd[row] = end
  endSpan(walk)
}

function beginSpan(walk: Walk): void {
  const { table, count } = walk
  table.traceIdAt[count] = ABSENT
  table.spanIdAt[count] = ABSENT
  table.parentIdAt[count] = ABSENT
  walk.traceFault = EMPTY
  walk.spanFault = EMPTY
  walk.parentFault = EMPTY
  walk.fits = true
  walk.statusCode = 0
  walk.exception = false
}

/** Any length-delimited field of a span but its attributes. */
function scanSpanField(walk: Walk, tag: number, at: number, end: number): void {
  const { body, table, count, levels } = walk
  switch (tag) {
    case 0x0a:
      walk.traceFault = idFault(body, at, end, TRACE_ID_BYTES)
      table.traceIdAt[count] = walk.traceFault === SOUND ? at : ABSENT
      break
    case 0x12:
      walk.spanFault = idFault(body, at, end, SPAN_ID_BYTES)
      table.spanIdAt[count] = walk.spanFault === SOUND ? at : ABSENT
      break
    case 0x22:
      walk.parentFault = idFault(body, at, end, SPAN_ID_BYTES)
      table.parentIdAt[count] = walk.parentFault === SOUND ? at : ABSENT
      break
    case 0x5a:
      if (!attributesFit(body, at, end, 0x1a, levels)) walk.fits = false
      walk.exception ||= isNamedException(body, at, end)
      break
    case 0x6a:
      if (!attributesFit(body, at, end, 0x22, levels)) walk.fits = false
      break
    case 0x7a:
      walk.statusCode = statusCodeIn(body, at, end, walk.statusCode)
      break
    default:
      if (tag < 8) throw malformedProtobuf('invalid tag', at)
  }
}

function endSpan(walk: Walk): void {
  const { table, count } = walk
  table.hasError[count] = walk.statusCode === 2 || walk.exception ? 1 : 0
  let reject = walk.fits ? ACCEPTED : TOO_DEEP
  if (walk.parentFault === WRONG_LENGTH) reject = PARENT_ID_WRONG_LENGTH
  if (walk.spanFault !== SOUND) reject = SPAN_ID_EMPTY + walk.spanFault - EMPTY
  if (walk.traceFault !== SOUND) reject = TRACE_ID_EMPTY + walk.traceFault - EMPTY
  table.reject[count] = reject
}

function idFault(body: Uint8Array, at: number, end: number, size: number): number {
  if (end - at !== size) return at === end ? EMPTY : WRONG_LENGTH
  for (let p = at; p < end; p++) if (body[p] !== 0) return SOUND
  return ZERO
}

function writeTime(words: Uint32Array, row: number, body: Uint8Array, at: number): void {
  words[row * 2] = body[at]! | (body[at + 1]! << 8) | (body[at + 2]! << 16) | (body[at + 3]! << 24)
  words[row * 2 + 1] = body[at + 4]! | (body[at + 5]! << 8) | (body[at + 6]! << 16) | (body[at + 7]! << 24)
}

/** Walks a message that holds attributes under `attributeTag` and checks all of it. */
function attributesFit(body: Uint8Array, start: number, end: number, attributeTag: number, levels: number): boolean {
  let fits = true
  let p = start
  while (p < end) {
    const tag = readTag(body, p, end)
    p = varintEnd(body, p, end)
    const next = skipField(body, tag, p, end)
    if (tag === attributeTag && !keyValueFits(body, varintEnd(body, p, end), next, levels)) fits = false
    p = next
  }
  return fits
}

function isNamedException(body: Uint8Array, start: number, end: number): boolean {
  let named = false
  let p = start
  while (p < end) {
    const tag = readTag(body, p, end)
    p = varintEnd(body, p, end)
    const next = skipField(body, tag, p, end)
    if (tag === 0x12) named = equalsException(body, varintEnd(body, p, end), next)
    p = next
  }
  return named
}

const EXCEPTION = new TextEncoder().encode('exception')

function equalsException(body: Uint8Array, at: number, end: number): boolean {
  if (end - at !== EXCEPTION.length) return false
  for (let i = 0; i < EXCEPTION.length; i++) if (body[at + i] !== EXCEPTION[i]) return false
  return true
}

/** The last code in a Status message, or `before`: a status that is sent in two pieces is one. */
function statusCodeIn(body: Uint8Array, start: number, end: number, before: number): number {
  let code = before
  let p = start
  while (p < end) {
    const tag = readTag(body, p, end)
    p = varintEnd(body, p, end)
    if (tag === 0x18) code = readVarint32(body, p, end)
    p = skipField(body, tag, p, end)
  }
  return code
}
