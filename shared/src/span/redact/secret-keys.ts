/**
 * Names whose values are secrets, as the last part of an attribute's key (contract §2). `proxy-authorization`,
 * `set-cookie` and `x-api-key` end in one of them. Written with `_` for any of the separators `-`, `_` and `.`.
 */
const SECRET_NAMES = ['authorization', 'cookie', 'password', 'passwd', 'secret', 'token', 'api_key', 'apikey']

const UNDERSCORE = 0x5f

/** Byte → itself, in lower case, any separator as `_`: what is alike in keys is equal after this. */
const FOLDED = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte >= 0x41 && byte <= 0x5a) return byte + 0x20
  return byte === 0x2d || byte === 0x2e ? UNDERSCORE : byte
})

const NAMES = SECRET_NAMES.map((name) => new TextEncoder().encode(name))

/** The last two bytes of a key, in either case → 1 where a name ends in them: nearly no other key gets further. */
const ENDS_A_NAME = new Uint8Array(65_536)
for (let last = 0; last < 256; last++)
  for (let before = 0; before < 256; before++)
    if (NAMES.some((name) => name.at(-1) === FOLDED[last] && name.at(-2) === FOLDED[before])) ENDS_A_NAME[before * 256 + last] = 1

/**
 * Whether the last part of this key names a secret: `db.password`, `X-API-Key` and `http.request.header.authorization`
 * do, `max_tokens`, `gen_ai.usage.input_tokens` and `tokenizer` do not.
 */
export function isSecretKey(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start < 2 || ENDS_A_NAME[bytes[end - 2]! * 256 + bytes[end - 1]!] === 0) return false
  for (let i = 0; i < NAMES.length; i++) if (endsWithName(bytes, start, end, NAMES[i]!)) return true
  return false
}

function endsWithName(bytes: Uint8Array, start: number, end: number, name: Uint8Array): boolean {
  const from = end - name.length
  if (from < start) return false
  for (let i = name.length - 1; i >= 0; i--) if (FOLDED[bytes[from + i]!] !== name[i]) return false
  return from === start || FOLDED[bytes[from - 1]!] === UNDERSCORE
}
