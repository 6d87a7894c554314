import {
  ACCEPTED,
  attributesFit,
  beginWalk,
  EMPTY,
  REJECT_REASONS,
  type RecordWalk,
  SOUND,
  scanRecords,
  spanIdFault,
  TOO_DEEP,
  type TraceScan,
  traceIdFault,
  WRONG_LENGTH,
  writeTime,
} from './scan-records.ts'
import { keyValueFits } from './walk-any-value.ts'
import { ABSENT, malformedProtobuf, readTag, readVarint, readVarint32, skipField, varintEnd } from './wire.ts'

export { REJECT_REASONS, type TraceScan } from './scan-records.ts'

const TRACE_ID_EMPTY = REJECT_REASONS.indexOf('trace_id_empty')
const SPAN_ID_EMPTY = REJECT_REASONS.indexOf('span_id_empty')
const PARENT_ID_WRONG_LENGTH = REJECT_REASONS.indexOf('parent_id_wrong_length')

/** Bodies of the demo capture have about 700 bytes a span; a wrong guess costs one doubling. */
const GUESSED_SPAN_BYTES = 384

interface Walk extends RecordWalk {
  /** About the span that is being walked. */
  traceFault: number
  spanFault: number
  parentFault: number
  statusCode: number
  exception: boolean
  fits: boolean
}

/**
 * Walks an ExportTraceServiceRequest once and says where its spans, their ids and times are. The whole request is
 * checked: `OtlpDecodeError` means that it is no protobuf (400). Fields may come in any order, unknown ones and groups
 * are skipped, scalars that repeat count by the last. A span with unusable ids, or with an AnyValue nested deeper
 * than `anyValueDepthMax` in it or in its resource or scope, is marked in `reject`. A time that is absent is 0. `hasError`
 * is set where the status is an error or an event is named `exception`.
 */
export function scanTraces(body: Uint8Array, limits: { anyValueDepthMax: number }): TraceScan {
  const walk: Walk = {
    ...beginWalk(body, limits.anyValueDepthMax, GUESSED_SPAN_BYTES),
    traceFault: EMPTY,
    spanFault: EMPTY,
    parentFault: EMPTY,
    statusCode: 0,
    exception: false,
    fits: true,
  }
  return scanRecords(walk, scanSpan)
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
      walk.traceFault = traceIdFault(body, at, end)
      table.traceIdAt[count] = walk.traceFault === SOUND ? at : ABSENT
      break
    case 0x12:
      walk.spanFault = spanIdFault(body, at, end)
      table.spanIdAt[count] = walk.spanFault === SOUND ? at : ABSENT
      break
    case 0x22:
      walk.parentFault = spanIdFault(body, at, end)
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
