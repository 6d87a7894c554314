import type { ProtoWriter } from '../proto-writer.ts'
import { QUOTE, specialBytes } from './json-escape.ts'
import type { Transcoder } from './transcoder.ts'

/** Longer attributes are read part by part: their text costs more than finding out what it is. */
const USUAL_MAX_BYTES = 512
/** Between two texts there is at most so much: who stops so far before the limit need not look at each byte. */
const BETWEEN_MAX_BYTES = 64
/** What reading part by part would have counted. */
const LEVELS = 2
const VALUES = 3
/** A longer integer may not be exact as a double. */
const DIGITS_MAX = 15
/** A length below this takes one byte. */
const SHORT = 0x80

const OPEN = wordsOf('{"key":"')
const VALUE = wordsOf('","value":{"')
const TEXT = wordsOf('stringValue"')
const INTEGER = wordsOf('intValue')
/** What is left of these pieces behind their words, and how long they are. */
const TEXT_END = 0x223a
const TEXT_BYTES = 14
const INTEGER_END = 0x3a22
const INTEGER_BYTES = 11
const CLOSE_BOTH = 0x7d7d

/** A text as it lies in memory, four bytes a word. */
function wordsOf(text: string): Int32Array {
  const view = new DataView(new TextEncoder().encode(text).buffer)
  return Int32Array.from({ length: text.length / 4 }, (_, word) => view.getInt32(word * 4, true))
}

function isNext(view: DataView, at: number, words: Int32Array): boolean {
  for (let i = 0; i < words.length; i++) if (view.getInt32(at + i * 4, true) !== words[i]) return false
  return true
}

/**
 * Writes the attribute that starts here where it is one as nearly every exporter writes it, `{"key":"…","value":{"stringValue":"…"}}` or
 * with `intValue`, without white space and escapes. False, and nothing changed, where it is anything else. Four bytes at a time: attributes
 * are most of a body, and byte by byte they take twice as long.
 */
export function transcodeUsualAttribute({ reader, writer }: Transcoder, tag: number): boolean {
  const { view, at: start } = reader
  const limit = Math.min(reader.end, start + USUAL_MAX_BYTES) - BETWEEN_MAX_BYTES
  if (start > limit || !isNext(view, start, OPEN) || !reader.allows(LEVELS, VALUES)) return false
  writer.reserve(USUAL_MAX_BYTES)
  const keyAt = start + OPEN.byteLength
  // Tag and length of the attribute and of its key lie before the key; all lengths are taken for short at first.
  const keyTo = writer.at + 4
  const keyLength = copyPlain(view, keyAt, limit, writer.view, keyTo)
  const valueAt = keyAt + keyLength + VALUE.byteLength
  if (keyLength < 0 || !isNext(view, valueAt - VALUE.byteLength, VALUE)) return false
  const behind = isNext(view, valueAt, TEXT)
    ? transcodeTextValue(view, valueAt, limit, writer, keyTo, keyLength)
    : transcodeIntegerValue(view, valueAt, writer, keyTo, keyLength)
  if (behind < 0) return false
  writer.bytes[keyTo - 4] = tag
  reader.pass(behind, VALUES)
  return true
}

/** Where the attribute ends, in JSON; -1 for what is not usual. */
function transcodeTextValue(
  view: DataView,
  at: number,
  limit: number,
  writer: ProtoWriter,
  keyTo: number,
  keyLength: number,
): number {
  const textAt = at + TEXT_BYTES
  if (view.getInt16(textAt - 2, true) !== TEXT_END) return -1
  const textTo = keyTo + keyLength + 4
  const length = copyPlain(view, textAt, limit, writer.view, textTo)
  const behind = textAt + length + 1
  if (length < 0 || view.getInt16(behind, true) !== CLOSE_BOTH) return -1
  const valueLength = 2 + length
  const whole = 4 + keyLength + valueLength
  if (whole < SHORT) {
    writeHeads(writer, keyTo, keyLength, valueLength)
    writer.bytes[textTo - 2] = 0x0a
    writer.bytes[textTo - 1] = length
    writer.at = textTo + length
  } else {
    if (keyLength >= SHORT) return -1
    writeLong(writer, keyTo, keyLength, length)
  }
  return behind + 2
}

/** Everything before the value's content, where all lengths are short. */
function writeHeads({ bytes }: ProtoWriter, keyTo: number, keyLength: number, valueLength: number): void {
  bytes[keyTo - 3] = 4 + keyLength + valueLength
  bytes[keyTo - 2] = 0x0a
  bytes[keyTo - 1] = keyLength
  bytes[keyTo + keyLength] = 0x12
  bytes[keyTo + keyLength + 1] = valueLength
}

/** Key and text were copied as if all lengths were short: they are moved apart and written again. */
function writeLong(writer: ProtoWriter, keyTo: number, keyLength: number, length: number): void {
  const { bytes } = writer
  const text = bytes.subarray(keyTo + keyLength + 4, keyTo + keyLength + 4 + length)
  const lengthBytes = length < SHORT ? 1 : 2
  const valueLength = 1 + lengthBytes + length
  const valueBytes = valueLength < SHORT ? 1 : 2
  const wholeBytes = 2
  const textTo = keyTo + wholeBytes - 1 + keyLength + 1 + valueBytes + 1 + lengthBytes
  bytes.copyWithin(textTo, text.byteOffset - bytes.byteOffset, text.byteOffset - bytes.byteOffset + length)
  bytes.copyWithin(keyTo + 1, keyTo, keyTo + keyLength)
  writer.at = keyTo - 3
  writer.varint(2 + keyLength + 1 + valueBytes + valueLength)
  bytes[writer.at++] = 0x0a
  bytes[writer.at++] = keyLength
  writer.at += keyLength
  bytes[writer.at++] = 0x12
  writer.varint(valueLength)
  bytes[writer.at++] = 0x0a
  writer.varint(length)
  writer.at = textTo + length
}

function transcodeIntegerValue(view: DataView, at: number, writer: ProtoWriter, keyTo: number, keyLength: number): number {
  const digitsAt = at + INTEGER_BYTES
  if (!isNext(view, at, INTEGER) || view.getInt16(at + 8, true) !== INTEGER_END || view.getUint8(digitsAt - 1) !== QUOTE)
    return -1
  let value = 0
  let p = digitsAt
  for (; p < digitsAt + DIGITS_MAX; p++) {
    const digit = view.getUint8(p) - 0x30
    if (!(digit >= 0 && digit <= 9)) break
    value = value * 10 + digit
  }
  if (p === digitsAt || view.getUint8(p) !== QUOTE || view.getInt16(p + 1, true) !== CLOSE_BOTH || keyLength >= SHORT - 20)
    return -1
  const contentTo = keyTo + keyLength + 2
  writer.bytes[contentTo] = 0x18
  writer.at = contentTo + 1
  writer.varint(value)
  writeHeads(writer, keyTo, keyLength, writer.at - contentTo)
  return p + 3
}

/**
 * Copies a string's content up to its closing quote, and up to three bytes behind it that do not count. Its length; -1 where it goes on at
 * `limit`, or holds an escape or a control character.
 */
function copyPlain(view: DataView, start: number, limit: number, out: DataView, outStart: number): number {
  for (let at = start; at < limit; at += 4) {
    const word = view.getInt32(at, true)
    out.setInt32(outStart + at - start, word, true)
    const special = specialBytes(word)
    if (special === 0) continue
    const end = at + ((31 - Math.clz32(special & -special)) >> 3)
    return view.getUint8(end) === QUOTE ? end - start : -1
  }
  return -1
}
