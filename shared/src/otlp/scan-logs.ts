import { createAttributeFilter } from './attribute-filter.ts'
import { createByteKeys, findByteKey } from './byte-keys.ts'
import { decodeKeyValue, VALUES_SHOWN_MAX } from './decode-value.ts'
import { SPAN_ID_BYTES, TRACE_ID_BYTES } from './ids.ts'
import { usualKeyAt, usualValueAt, usualValueEnd } from './key-value-form.ts'
import { EVENT_NAME_KEY, EXCEPTION_EVENT, EXCEPTION_KEYS, LOG_RECORD_ID_KEY } from './log-keys.ts'
import { ERROR_NUMBER, isErrorSeverity, SEVERITY_TEXT_MAX_BYTES } from './log-severity.ts'
import type { OtlpAttributes, OtlpValue } from './model.ts'
import {
  ACCEPTED,
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
import { anyValueFits, keyValueFits } from './walk-any-value.ts'
import { ABSENT, malformedProtobuf, readTag, readVarint, readVarint32, skipField, varintEnd } from './wire.ts'

const TRACE_ID_WRONG_LENGTH = REJECT_REASONS.indexOf('trace_id_wrong_length')
const SPAN_ID_WRONG_LENGTH = REJECT_REASONS.indexOf('span_id_wrong_length')

const GUESSED_LOG_BYTES = 256

/** Attributes that a walk looks at, by their place here: the exception's three, then these. */
const NOTED = createByteKeys([...EXCEPTION_KEYS, EVENT_NAME_KEY, LOG_RECORD_ID_KEY])
const EVENT_NAME = NOTED.names.indexOf(EVENT_NAME_KEY)
const RECORD_ID = NOTED.names.indexOf(LOG_RECORD_ID_KEY)
/** `exception.…` and `event.name`; `loopkit.…`: the first byte spares nearly every other key a look-up. */
const NOTED_FIRST_BYTES: readonly number[] = [0x65, 0x6c]
const NOTED_FILTER = createAttributeFilter(NOTED.names.slice(0, RECORD_ID), [])

interface Walk extends RecordWalk {
  view: DataView
  /** About the record that is being walked. */
  traceFault: number
  spanFault: number
  fits: boolean
  severityNumber: number
  severityTextAt: number
  severityTextEnd: number
  traceIdAt: number
  /** What the door has written, of 8 or 16 bytes. */
  recordIdAt: number
  recordIdBytes: number
  /** A bit for each of the exception's attributes that holds a text. */
  exceptionTexts: number
  /** By its field, by its attribute. */
  isExceptionEvent: boolean
  isNamedException: boolean
}

/**
 * Walks an ExportLogsServiceRequest as `scanTraces` does its own, for less: nothing is decoded. In the columns of the scan
 * the parent is the span that the record names, `startNano` and `endNano` are its time (as observed where it has no other,
 * else 0), and trace and span id are those that the record is known by where the door has given it one; the trace id is
 * `ABSENT` where the record names none. `hasError` is 1 where it carries an exception or an error severity: it is kept.
 * Refused are ids of a wrong length and values nested too deep.
 */
export function scanLogs(body: Uint8Array, limits: { anyValueDepthMax: number }): TraceScan {
  const walk: Walk = {
    ...beginWalk(body, limits.anyValueDepthMax, GUESSED_LOG_BYTES),
    view: new DataView(body.buffer, body.byteOffset, body.byteLength),
    traceFault: EMPTY,
    spanFault: EMPTY,
    fits: true,
    severityNumber: 0,
    severityTextAt: 0,
    severityTextEnd: 0,
    traceIdAt: ABSENT,
    recordIdAt: ABSENT,
    recordIdBytes: 0,
    exceptionTexts: 0,
    isExceptionEvent: false,
    isNamedException: false,
  }
  return scanRecords(walk, scanLog)
}

function scanLog(walk: Walk, start: number, end: number): void {
  const { body, table, count } = walk
  beginLog(walk)
  let p = start
  while (p < end) {
    let tag = body[p++]!
    if (tag >= 0x80) {
      tag = readTag(body, p - 1, end)
      p = varintEnd(body, p - 1, end)
    }
    if ((tag & 7) !== 2) {
      const next = skipField(body, tag, p, end)
      if (tag === 0x09) writeTime(table.startWords, count, body, p)
      else if (tag === 0x59) writeTime(table.endWords, count, body, p)
      else if (tag === 0x10) walk.severityNumber = readVarint32(body, p, end)
      p = next
      continue
    }
    let length = body[p++]!
    if (length >= 0x80) {
      length = readVarint(body, p - 1, end)
      p = varintEnd(body, p - 1, end)
    }
    const at = p
    p += length
    // Also true for NaN, which is what reading behind the body gives.
    if (!(p <= end)) break
    if (tag === 0x32) scanAttribute(walk, at, p)
    else scanLogField(walk, tag, at, p)
  }
  if (p !== end) throw malformedProtobuf('truncated log record', start)
  table.spanStart[count] = start
  table.spanEnd[count] = end
  endLog(walk)
}

function beginLog(walk: Walk): void {
  const { table, count } = walk
  table.parentIdAt[count] = ABSENT
  walk.traceFault = EMPTY
  walk.spanFault = EMPTY
  walk.fits = true
  walk.severityNumber = 0
  walk.severityTextAt = 0
  walk.severityTextEnd = 0
  walk.traceIdAt = ABSENT
  walk.recordIdAt = ABSENT
  walk.exceptionTexts = 0
  walk.isExceptionEvent = false
  walk.isNamedException = false
}

/** Any length-delimited field of a record but its attributes. */
function scanLogField(walk: Walk, tag: number, at: number, end: number): void {
  const { body, table, count, levels } = walk
  switch (tag) {
    case 0x2a:
      if (!anyValueFits(body, at, end, levels)) walk.fits = false
      break
    case 0x4a:
      walk.traceFault = traceIdFault(body, at, end)
      walk.traceIdAt = walk.traceFault === SOUND ? at : ABSENT
      break
    case 0x52:
      walk.spanFault = spanIdFault(body, at, end)
      table.parentIdAt[count] = walk.spanFault === SOUND ? at : ABSENT
      break
    case 0x1a:
      walk.severityTextAt = at
      walk.severityTextEnd = end
      break
    case 0x62:
      walk.isExceptionEvent = isText(walk, at, end, EXCEPTION_EVENT)
      break
    default:
      if (tag < 8) throw malformedProtobuf('invalid tag', at)
  }
}

function endLog(walk: Walk): void {
  const { table, count, recordIdAt, recordIdBytes } = walk
  const isLone = recordIdAt !== ABSENT && recordIdBytes === TRACE_ID_BYTES
  table.traceIdAt[count] = isLone ? recordIdAt : walk.traceIdAt
  table.spanIdAt[count] = recordIdAt === ABSENT ? ABSENT : recordIdAt + recordIdBytes - SPAN_ID_BYTES
  settleTime(table, count * 2)
  table.hasError[count] = carriesException(walk) || saysError(walk) ? 1 : 0
  let reject = walk.fits ? ACCEPTED : TOO_DEEP
  if (walk.spanFault === WRONG_LENGTH) reject = SPAN_ID_WRONG_LENGTH
  if (walk.traceFault === WRONG_LENGTH) reject = TRACE_ID_WRONG_LENGTH
  table.reject[count] = reject
}

/** The time as observed was put where the end belongs. */
function settleTime({ startWords, endWords }: RecordWalk['table'], low: number): void {
  const high = low + 1
  if (startWords[low] === 0 && startWords[high] === 0) {
    startWords[low] = endWords[low]!
    startWords[high] = endWords[high]!
  } else {
    endWords[low] = startWords[low]!
    endWords[high] = startWords[high]!
  }
}

function carriesException({ exceptionTexts, isExceptionEvent, isNamedException }: Walk): boolean {
  return exceptionTexts !== 0 || isExceptionEvent || isNamedException
}

/** The name of a severity is only looked at where its number is not given, which is rare. */
function saysError(walk: Walk): boolean {
  const { severityNumber, severityTextAt, severityTextEnd } = walk
  if (severityNumber !== 0 || severityTextEnd - severityTextAt > SEVERITY_TEXT_MAX_BYTES) return severityNumber >= ERROR_NUMBER
  return isErrorSeverity(0, textAt(walk, severityTextAt, severityTextEnd))
}

function scanAttribute(walk: Walk, start: number, end: number): void {
  const { body, levels } = walk
  if (!keyValueFits(body, start, end, levels)) walk.fits = false
  const keyAt = usualKeyAt(body, start, end)
  if (keyAt < 0) {
    noteUnusual(walk, start, end)
    return
  }
  if (!NOTED_FIRST_BYTES.includes(body[keyAt]!)) return
  const noted = findByteKey(NOTED, body, keyAt, keyAt + body[keyAt - 1]!)
  if (noted < 0) return
  const at = usualValueAt(body, start, keyAt)
  const valueEnd = usualValueEnd(body, start, end, keyAt)
  if (noted === RECORD_ID) noteRecordId(walk, at, valueEnd)
  else if (body[at] === 0x0a && at + 2 + body[at + 1]! === valueEnd && body[at + 1]! < 0x80) {
    if (noted === EVENT_NAME) walk.isNamedException = isText(walk, at + 2, valueEnd, EXCEPTION_EVENT)
    else noteExceptionText(walk, noted, valueEnd > at + 2)
  } else noteUnusual(walk, start, end)
}

function noteExceptionText(walk: Walk, noted: number, isThere: boolean): void {
  const bit = 1 << noted
  walk.exceptionTexts = isThere ? walk.exceptionTexts | bit : walk.exceptionTexts & ~bit
}

/** A long value or an odd form: read by the one decoder that says what it means. */
function noteUnusual(walk: Walk, start: number, end: number): void {
  const { body, view } = walk
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  const source = { bytes, texts: [], budget: VALUES_SHOWN_MAX, float: view }
  const found: OtlpAttributes = new Map<string, OtlpValue>()
  decodeKeyValue(source, start, end, found, NOTED_FILTER)
  for (const [key, value] of found) {
    const noted = NOTED.names.indexOf(key)
    if (noted === EVENT_NAME) walk.isNamedException = value === EXCEPTION_EVENT
    else noteExceptionText(walk, noted, typeof value === 'string' && value !== '')
  }
}

/** What the door wrote, and only in its form: bytes of one of two lengths. */
function noteRecordId(walk: Walk, at: number, end: number): void {
  const length = end - at - 2
  if (walk.body[at] !== 0x3a || walk.body[at + 1] !== length || (length !== SPAN_ID_BYTES && length !== TRACE_ID_BYTES)) return
  walk.recordIdAt = at + 2
  walk.recordIdBytes = length
}

function textAt({ body }: Walk, at: number, end: number): string {
  return Buffer.from(body.buffer, body.byteOffset + at, end - at).toString('latin1')
}

function isText(walk: Walk, at: number, end: number, text: string): boolean {
  return end - at === text.length && textAt(walk, at, end) === text
}
