import { ORIGINAL_PARENT_SPAN_ID, ORIGINAL_SPAN_ID, ORIGINAL_TRACE_ID, type ParsedId, parseSpanId, parseTraceId } from '../ids.ts'
import { exactUint64, parseUint64 } from './decimal.ts'
import { createFieldNames, NO_FIELD } from './field-names.ts'
import { HEX_DIGITS, NO_DIGIT, QUOTE } from './json-escape.ts'
import { transcodeAttributes } from './transcode-value.ts'
import { enterArray, enterObject, readEnum, readScalarText, readUint32, type Transcoder, transcodeText } from './transcoder.ts'

const SPAN = createFieldNames(
  'traceId',
  'spanId',
  'parentSpanId',
  'traceState',
  'flags',
  'name',
  'kind',
  'startTimeUnixNano',
  'endTimeUnixNano',
  'attributes',
  'droppedAttributesCount',
  'events',
  'droppedEventsCount',
  'links',
  'droppedLinksCount',
  'status',
)
const EVENT = createFieldNames('timeUnixNano', 'name', 'attributes', 'droppedAttributesCount')
const LINK = createFieldNames('traceId', 'spanId', 'traceState', 'attributes', 'droppedAttributesCount', 'flags')
const STATUS = createFieldNames('code', 'message')

const KINDS = ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'].map((name) => `SPAN_KIND_${name}`)
const STATUS_CODES = ['STATUS_CODE_UNSET', 'STATUS_CODE_OK', 'STATUS_CODE_ERROR']

/** Longer texts than this are cut in what is said about a refused span, never in what is stored. */
const NAMED_ID_MAX_CHARACTERS = 64

/** The texts of a span's ids that were kept as hashes, which go into attributes of the span. */
interface Originals {
  trace: string | null
  span: string | null
  parent: string | null
}

export interface RejectedSpan {
  reason: 'time_out_of_range' | 'id_unreadable'
  /** The trace id as it was sent, for the one who looks for the span; '' where there is none. */
  traceId: string
}

/** Writes the Span that starts here as a field of this tag; one that cannot be kept is taken back and described. */
export function transcodeSpan(t: Transcoder, tag: number): RejectedSpan | null {
  const { writer } = t
  const begun = writer.at
  const opened = writer.open(tag)
  const originals: Originals = { trace: null, span: null, parent: null }
  t.rejectReason = null
  const traceIdAt = transcodeSpanFields(t, originals)
  if (t.rejectReason !== null) {
    writer.at = begun
    return { reason: t.rejectReason, traceId: namedId(t, traceIdAt) }
  }
  writeOriginal(t, ORIGINAL_TRACE_ID, originals.trace)
  writeOriginal(t, ORIGINAL_SPAN_ID, originals.span)
  writeOriginal(t, ORIGINAL_PARENT_SPAN_ID, originals.parent)
  writer.close(opened)
  return null
}

/** Gives the place of the trace id. */
function transcodeSpanFields(t: Transcoder, originals: Originals): number {
  const { reader } = t
  let traceIdAt = -1
  reader.enter()
  for (let field = reader.nextField(SPAN, 0); field !== NO_FIELD; field = reader.nextField(SPAN, field + 1)) {
    switch (field) {
      case 0:
        traceIdAt = reader.at
        originals.trace = transcodeId(t, 0x0a, 32, parseTraceId)
        break
      case 1:
        originals.span = transcodeId(t, 0x12, 16, parseSpanId)
        break
      case 2:
        originals.parent = transcodeId(t, 0x22, 16, parseSpanId)
        break
      case 7:
        transcodeTime(t, 0x39)
        break
      case 8:
        transcodeTime(t, 0x41)
        break
      case 9:
        transcodeAttributes(t, 0x4a)
        break
      default:
        transcodeRareField(t, field)
    }
  }
  return traceIdAt
}

function transcodeRareField(t: Transcoder, field: number): void {
  const { reader, writer } = t
  if (field === 3) transcodeText(t, 0x1a)
  else if (field === 4) writeFlags(t, 0x85)
  else if (field === 5) transcodeText(t, 0x2a)
  else if (field === 6) writeEnum(t, 0x30, KINDS)
  else if (field === 10) writeCount(t, 0x50)
  else if (field === 12) writeCount(t, 0x60)
  else if (field === 14) writeCount(t, 0x70)
  else if (field === 15) transcodeStatus(t)
  else if (enterArray(t)) {
    while (reader.nextElement()) {
      if (!enterObject(t)) continue
      const opened = writer.open(field === 11 ? 0x5a : 0x6a)
      if (field === 11) transcodeEvent(t)
      else transcodeLink(t)
      writer.close(opened)
    }
  }
}

function transcodeEvent(t: Transcoder): void {
  const { reader } = t
  for (let field = reader.nextField(EVENT, 0); field !== NO_FIELD; field = reader.nextField(EVENT, field + 1)) {
    if (field === 0) transcodeTime(t, 0x09)
    else if (field === 1) transcodeText(t, 0x12)
    else if (field === 2) transcodeAttributes(t, 0x1a)
    else writeCount(t, 0x20)
  }
}

function transcodeLink(t: Transcoder): void {
  const { reader } = t
  for (let field = reader.nextField(LINK, 0); field !== NO_FIELD; field = reader.nextField(LINK, field + 1)) {
    if (field === 0) transcodeId(t, 0x0a, 32, parseTraceId)
    else if (field === 1) transcodeId(t, 0x12, 16, parseSpanId)
    else if (field === 2) transcodeText(t, 0x1a)
    else if (field === 3) transcodeAttributes(t, 0x22)
    else if (field === 4) writeCount(t, 0x28)
    else writeFlags(t, 0x35)
  }
}

function transcodeStatus(t: Transcoder): void {
  const { reader, writer } = t
  if (!enterObject(t)) return
  const opened = writer.open(0x7a)
  for (let field = reader.nextField(STATUS, 0); field !== NO_FIELD; field = reader.nextField(STATUS, field + 1)) {
    if (field === 0) writeEnum(t, 0x18, STATUS_CODES)
    else transcodeText(t, 0x12)
  }
  writer.close(opened)
}

/**
 * Writes an id and gives its text where only a hash of it was written. What is no id at all (empty, zeros) is left out:
 * the scan that follows says what that means for the span. An array or object refuses the span.
 */
function transcodeId(t: Transcoder, tag: number, hexLength: number, parse: (text: string) => ParsedId | null): string | null {
  const { reader, writer } = t
  const first = reader.bytes[reader.at]!
  if (first !== QUOTE && first !== 0x2d && (first < 0x30 || first > 0x39)) {
    reader.skipValue()
    t.rejectReason = 'id_unreadable'
    return null
  }
  readScalarText(t)
  if (reader.textEnd - reader.textStart === hexLength && !reader.escaped && writeHex(t, tag, hexLength)) return null
  const id = parse(reader.text())
  if (id !== null) writer.field(tag, id.bytes)
  return id === null ? null : id.original
}

/** False, and nothing written, where the text is no hex. */
function writeHex(t: Transcoder, tag: number, hexLength: number): boolean {
  const { reader, writer } = t
  writer.reserve(2 + hexLength)
  const { bytes } = reader
  const out = writer.bytes
  let from = reader.textStart
  let to = writer.at
  out[to++] = tag
  out[to++] = hexLength / 2
  for (let i = 0; i < hexLength; i += 2) {
    const high = HEX_DIGITS[bytes[from++]!]!
    const low = HEX_DIGITS[bytes[from++]!]!
    if (high === NO_DIGIT || low === NO_DIGIT) return false
    out[to++] = high * 16 + low
  }
  writer.at = to
  return true
}

/** Anything but an unsigned integer of 64 bits, an empty text included, refuses the span: a time is never guessed. */
function transcodeTime(t: Transcoder, tag: number): void {
  const { reader, writer, words } = t
  const first = reader.bytes[reader.at]!
  const quoted = first === QUOTE
  if (!quoted && first !== 0x2d && (first < 0x30 || first > 0x39)) {
    reader.skipValue()
    t.rejectReason = 'time_out_of_range'
    return
  }
  readScalarText(t)
  const source = reader.resolved()
  if (parseUint64(source, reader.textStart, reader.textEnd, words)) {
    writer.tag(tag)
    writer.fixedWords(words.low, words.high)
    return
  }
  const exact = quoted || reader.integer ? null : exactUint64(source.toString('latin1', reader.textStart, reader.textEnd))
  if (exact === null) t.rejectReason = 'time_out_of_range'
  else {
    writer.tag(tag)
    writer.fixed64(exact)
  }
}

function writeCount(t: Transcoder, tag: number): void {
  const count = readUint32(t)
  t.writer.tag(tag)
  t.writer.varint(count)
}

function writeFlags(t: Transcoder, tag: number): void {
  const flags = readUint32(t)
  t.writer.tag(tag)
  t.writer.fixed32(flags)
}

function writeEnum(t: Transcoder, tag: number, names: readonly string[]): void {
  const value = readEnum(t, names)
  t.writer.tag(tag)
  if (value < 0) t.writer.int64(BigInt(value))
  else t.writer.varint(value)
}

function writeOriginal(t: Transcoder, key: string, text: string | null): void {
  if (text === null) return
  const { writer } = t
  const attribute = writer.open(0x4a)
  writer.text(0x0a, key)
  const value = writer.open(0x12)
  writer.text(0x0a, text)
  writer.close(value)
  writer.close(attribute)
}

function namedId(t: Transcoder, at: number): string {
  const { reader } = t
  if (reader.bytes[at] !== QUOTE) return ''
  const behind = reader.at
  reader.at = at
  reader.string()
  reader.at = behind
  return reader.text().slice(0, NAMED_ID_MAX_CHARACTERS)
}
