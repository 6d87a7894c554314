import type { ProtoWriter } from '../proto-writer.ts'
import { BACKSLASH, escapedCode, escapeEnd, IS_PLAIN, putUtf8, QUOTE } from './json-escape.ts'
import type { JsonReader } from './json-reader.ts'

/**
 * Writes the content of the string that starts at the reader's place as UTF-8, without its length, and moves behind it.
 * Escapes are resolved; a surrogate without its other half becomes U+FFFD; bytes that are no UTF-8 stay as they are.
 */
export function copyString(reader: JsonReader, writer: ProtoWriter): void {
  const { bytes, end } = reader
  // What is left of the input bounds what a string can become: no escape is shorter than what it means.
  writer.reserve(end - reader.at)
  const out = writer.bytes
  const plain = IS_PLAIN
  let from = reader.at + 1
  let to = writer.at
  for (;;) {
    // Each byte is loaded once, and none behind the end, which would be answered but make this loop slow for good.
    let byte = 0
    while (from < end) {
      byte = bytes[from]!
      if (plain[byte] === 0) break
      out[to++] = byte
      from++
    }
    if (from >= end || (byte !== QUOTE && byte !== BACKSLASH))
      throw reader.malformed('a string that is not closed, or a control character in it')
    if (byte === QUOTE) break
    const code = escapedCode(bytes, from)
    from = escapeEnd(bytes, from, code)
    to = putUtf8(out, to, code)
  }
  writer.at = to
  reader.at = from + 1
}
