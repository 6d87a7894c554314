import type { ParsedId } from '../ids.ts'
import { exactUint64, parseUint64 } from './decimal.ts'
import { HEX_DIGITS, NO_DIGIT, QUOTE } from './json-escape.ts'
import { bytesOfShape, wordsOfShape } from './library-shapes.ts'
import { readEnum, readScalarText, readUint32, type Transcoder } from './transcoder.ts'

/** Longer texts than this are cut in what is said about a refused span, never in what is stored. */
const NAMED_ID_MAX_CHARACTERS = 64

/** A record that cannot be put into protobuf. */
export interface RejectedSpan {
  reason: 'time_out_of_range' | 'id_unreadable'
  /** The trace id as it was sent, for the one who looks for the record; '' where there is none. */
  traceId: string
}

/**
 * Writes an id and gives its text where only a hash of it was written. What is no id at all (empty, zeros) is left out:
 * the scan that follows says what that means for the record. An array or object that is no list of bytes refuses the record.
 */
export function transcodeId(
  t: Transcoder,
  tag: number,
  hexLength: number,
  parse: (text: string) => ParsedId | null,
): string | null {
  const { reader, writer } = t
  const first = reader.bytes[reader.at]!
  if (first !== QUOTE && first !== 0x2d && (first < 0x30 || first > 0x39)) {
    const bytes = bytesOfShape(skippedText(t), hexLength / 2)
    if (bytes === null) t.rejectReason = 'id_unreadable'
    else if (bytes.some((byte) => byte !== 0)) writer.field(tag, bytes)
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

/** Anything but an unsigned integer of 64 bits (or a Long object that is one), an empty text included, refuses the record: a time is never guessed. */
export function transcodeTime(t: Transcoder, tag: number): void {
  const { reader, writer, words } = t
  const first = reader.bytes[reader.at]!
  const quoted = first === QUOTE
  if (!quoted && first !== 0x2d && (first < 0x30 || first > 0x39)) {
    const time = wordsOfShape(skippedText(t))
    if (time === null) t.rejectReason = 'time_out_of_range'
    else {
      writer.tag(tag)
      writer.fixedWords(time.low, time.high)
    }
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

/** The value that starts here, as it is written. */
function skippedText({ reader }: Transcoder): string {
  const start = reader.at
  reader.skipValue()
  return reader.bytes.toString('utf8', start, reader.at)
}

export function writeCount(t: Transcoder, tag: number): void {
  const count = readUint32(t)
  t.writer.tag(tag)
  t.writer.varint(count)
}

export function writeFlags(t: Transcoder, tag: number): void {
  const flags = readUint32(t)
  t.writer.tag(tag)
  t.writer.fixed32(flags)
}

export function writeEnum(t: Transcoder, tag: number, names: readonly string[]): void {
  const value = readEnum(t, names)
  t.writer.tag(tag)
  if (value < 0) t.writer.int64(BigInt(value))
  else t.writer.varint(value)
}

/** The text of an id that was kept as its hash, as an attribute under this tag. */
export function writeOriginal(t: Transcoder, tag: number, key: string, text: string | null): void {
  if (text === null) return
  const { writer } = t
  const attribute = writer.open(tag)
  writer.text(0x0a, key)
  const value = writer.open(0x12)
  writer.text(0x0a, text)
  writer.close(value)
  writer.close(attribute)
}

/** The trace id at this place as it was sent, cut; '' where it is no text. */
export function namedId(t: Transcoder, at: number): string {
  const { reader } = t
  if (reader.bytes[at] !== QUOTE) return ''
  const behind = reader.at
  reader.at = at
  reader.string()
  reader.at = behind
  return reader.text().slice(0, NAMED_ID_MAX_CHARACTERS)
}
