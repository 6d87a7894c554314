import type { ProtoWriter } from '../proto-writer.ts'
import { copyString } from './copy-string.ts'
import { parseUint64, type Words } from './decimal.ts'
import { QUOTE } from './json-escape.ts'
import { type JsonReader, OPEN_BRACE, OPEN_BRACKET } from './json-reader.ts'

const UINT32_MAX = 0xffffffff
const INT32_MAX = 0x7fffffff

/** What was read otherwise than it was written, said once a request. */
export type TranscodeWarning =
  | 'a value of an unexpected type was left out'
  | 'a number out of its range was changed'
  | 'an unknown enum name was read as 0'
  | 'bytes that are no base64 were kept as text'

export interface Transcoder {
  reader: JsonReader
  writer: ProtoWriter
  words: Words
  warnings: Set<TranscodeWarning>
  /** Why the span that is being read cannot be kept; null while it can. */
  rejectReason: 'time_out_of_range' | 'id_unreadable' | null
}

/** Enters the object that starts here; anything else is skipped with a warning, and false. */
export function enterObject(t: Transcoder): boolean {
  return enterKind(t, OPEN_BRACE)
}

/** As `enterObject`, for an array. */
export function enterArray(t: Transcoder): boolean {
  return enterKind(t, OPEN_BRACKET)
}

function enterKind(t: Transcoder, kind: number): boolean {
  const { reader } = t
  if (reader.bytes[reader.at] === kind) {
    reader.enter()
    return true
  }
  if (!reader.isNull()) t.warnings.add('a value of an unexpected type was left out')
  reader.skipValue()
  return false
}

/** Writes a string field. Numbers and booleans where a string is due are kept as they are written (some senders do that). */
export function transcodeText(t: Transcoder, tag: number): void {
  const { reader, writer } = t
  const first = reader.bytes[reader.at]
  if (first === QUOTE) {
    const opened = writer.open(tag)
    copyString(reader, writer)
    writer.close(opened)
  } else if (first === OPEN_BRACE || first === OPEN_BRACKET) {
    t.warnings.add('a value of an unexpected type was left out')
    reader.skipValue()
  } else {
    const start = reader.at
    reader.skipValue()
    writer.field(tag, reader.bytes.subarray(start, reader.at))
  }
}

/**
 * Reads a string or a number so that the reader's `text` gives its digits; anything else is skipped with a warning, and
 * false. OTLP's JSON writes 64-bit integers as strings, senders write both.
 */
export function readScalarText(t: Transcoder): boolean {
  const { reader } = t
  const first = reader.bytes[reader.at]!
  if (first === QUOTE) reader.string()
  else if (first === 0x2d || (first >= 0x30 && first <= 0x39)) reader.number()
  else {
    reader.skipValue()
    t.warnings.add('a value of an unexpected type was left out')
    return false
  }
  return true
}

/** Reads an unsigned 32-bit number; what is out of range comes as near as it can. */
export function readUint32(t: Transcoder): number {
  const { reader, words } = t
  if (!readScalarText(t)) return 0
  const source = reader.resolved()
  if (parseUint64(source, reader.textStart, reader.textEnd, words) && words.high === 0) return words.low
  const value = numberOf(source.toString('latin1', reader.textStart, reader.textEnd))
  if (Number.isInteger(value) && value >= 0 && value <= UINT32_MAX) return value
  t.warnings.add('a number out of its range was changed')
  return value > 0 ? Math.min(UINT32_MAX, Math.floor(value)) : 0
}

/** Reads an enum: its number, or one of its names, whose place in `names` is its number. */
export function readEnum(t: Transcoder, names: readonly string[]): number {
  const { reader, words } = t
  if (!readScalarText(t)) return 0
  const source = reader.resolved()
  if (parseUint64(source, reader.textStart, reader.textEnd, words) && words.high === 0 && words.low <= INT32_MAX) return words.low
  const text = source.toString('latin1', reader.textStart, reader.textEnd)
  const named = names.indexOf(text)
  if (named >= 0) return named
  const value = numberOf(text)
  if (Number.isInteger(value) && value >= -INT32_MAX - 1 && value <= INT32_MAX) return value
  t.warnings.add('an unknown enum name was read as 0')
  return 0
}

/** NaN for what is no decimal number: `Number` alone would take an empty text, blanks and 0x10 too. */
function numberOf(text: string): number {
  return /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(text) ? Number(text) : Number.NaN
}
