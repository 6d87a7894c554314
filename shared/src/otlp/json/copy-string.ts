import type { ProtoWriter } from '../proto-writer.ts'
import { BACKSLASH, escapedCode, escapeEnd, IS_PLAIN, putUtf8, QUOTE, specialBytes } from './json-escape.ts'
import type { JsonReader } from './json-reader.ts'

const UTF8_MAX_BYTES = 4

/** What is made free at least before copying goes on. */
const ROOM_BYTES = 64

/**
 * Writes the content of the string that starts at the reader's place as UTF-8, without its length, and moves behind it.
 * Escapes are resolved; a surrogate without its other half becomes U+FFFD; bytes that are no UTF-8 stay as they are.
 */
export function copyString(reader: JsonReader, writer: ProtoWriter): void {
  const { bytes, end, view } = reader
  const plain = IS_PLAIN
  let from = reader.at + 1
  let to = writer.at
  let byte = 0
  for (;;) {
    writer.at = to
    writer.reserve(ROOM_BYTES)
    const out = writer.bytes
    const outView = writer.view
    const stop = Math.min(end, from + out.length - to - UTF8_MAX_BYTES)
    // Four bytes a turn, as long as each of them stands for itself.
    for (const last = stop - 4; from <= last; from += 4, to += 4) {
      const word = view.getInt32(from, true)
      if (specialBytes(word) !== 0) break
      outView.setInt32(to, word, true)
    }
    // Each byte is loaded once, and none behind the end, which would be answered but make this loop slow for good.
    while (from < stop) {
      byte = bytes[from]!
      if (plain[byte] === 0) break
      out[to++] = byte
      from++
    }
    if (from < stop && byte === QUOTE) break
    if (from < stop && byte === BACKSLASH) {
      const code = escapedCode(bytes, from)
      from = escapeEnd(bytes, from, code)
      to = putUtf8(out, to, code)
    } else if (from === end || from < stop) throw reader.malformed('a string that is not closed, or a control character in it')
  }
  writer.at = to
  reader.at = from + 1
}
