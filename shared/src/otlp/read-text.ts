/** Attribute keys repeat in every span; longer texts are values that mostly do not. */
const REMEMBERED_MAX_BYTES = 48
const SLOTS = 512

/** The bytes of a request with the texts that were already made of them: at most 512 short ones. */
export interface TextSource {
  bytes: Buffer
  texts: (string | undefined)[]
}

export function createTextSource(body: Uint8Array): TextSource {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  return { bytes, texts: new Array<string | undefined>(SLOTS).fill(undefined) }
}

/** The text at these bytes; bytes that are no UTF-8 are shown as U+FFFD. A byte order mark is data and stays. */
export function readText(source: TextSource, start: number, end: number): string {
  const length = end - start
  if (length > REMEMBERED_MAX_BYTES) return source.bytes.toString('utf8', start, end)
  if (length === 0) return ''
  const { bytes, texts } = source
  let hash = length
  for (let p = start; p < end; p++) hash = (Math.imul(hash, 31) + bytes[p]!) | 0
  const slot = (hash ^ (hash >>> 9) ^ (hash >>> 18)) & (SLOTS - 1)
  const known = texts[slot]
  if (known !== undefined && known.length === length && isSpelled(bytes, start, known)) return known
  const text = bytes.toString('utf8', start, end)
  if (text.length === length) texts[slot] = text
  return text
}

/** What is remembered has as many characters as bytes, so every one below U+0100 in it is ASCII: bytes decide. */
function isSpelled(bytes: Buffer, start: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) !== bytes[start + i]) return false
  return true
}
