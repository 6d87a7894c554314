import { closesSecretName } from './secret-members.ts'

/** More than this in one body is an attack or a dump of keys: then every string is looked at. */
const NOMINATIONS_MAX = 65_536

/** A URL's user and password in front of its @ are looked for this far back. */
const USER_INFO_MAX_BYTES = 1024

/** What a body must hold somewhere, for a secret of one shape to be in it. */
interface Anchor {
  text: string
  /** Where in the text its rarest two bytes stand, once at an even and once at an odd offset. */
  even: number
  odd: number
}

const ANCHORS: readonly Anchor[] = [
  { text: 'sk-', even: 0, odd: 1 },
  ...['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_'].map((text) => ({ text, even: 0, odd: 1 })),
  { text: 'github_pat_', even: 4, odd: 5 },
  { text: 'glpat-', even: 0, odd: 1 },
  { text: 'npm_', even: 0, odd: 1 },
  { text: 'lk_', even: 0, odd: 1 },
  { text: 'xox', even: 0, odd: 1 },
  { text: 'AKIA', even: 0, odd: 1 },
  { text: 'AIza', even: 0, odd: 1 },
  // "alg", which the header of every JSON web token has, in base64: three ways, by where it stands.
  { text: 'FsZyI', even: 2, odd: 1 },
  { text: 'bGci', even: 0, odd: 1 },
  { text: 'YWxnI', even: 0, odd: 1 },
  { text: '-----BEGIN ', even: 6, odd: 5 },
  ...['Bearer ', 'bearer ', 'BEARER '].map((text) => ({ text, even: 0, odd: 5 })),
  ...['Basic ', 'basic ', 'BASIC '].map((text) => ({ text, even: 4, odd: 1 })),
]

const AT = 0x40

interface Piece {
  anchor: Uint8Array
  offset: number
}

/** What an @ is found by: any pair with it, on either side. */
const AT_GROUP = 1
/** What the end of a key in JSON is found by: the quote with the last letter of a secret's name or a backslash before it, or what may follow it. */
const MEMBER_GROUP = 2
const QUOTES = [0x22, 0x27]
const NAME_ENDS = [...'nedtyNEDTY\\'].map((letter) => letter.charCodeAt(0))
const AFTER_NAME = [...': \t\n\r'].map((letter) => letter.charCodeAt(0))

/** Two bytes as they lie in memory, low one first → the number of a group of pieces; 0 for the many that begin nothing. */
const GROUP_BY_PAIR = new Uint8Array(65_536)
const PIECES_BY_GROUP: Piece[][] = [[], [], []]
for (let byte = 0; byte < 256; byte++) {
  GROUP_BY_PAIR[AT | (byte << 8)] = AT_GROUP
  GROUP_BY_PAIR[byte | (AT << 8)] = AT_GROUP
}
for (const quote of QUOTES) {
  for (const before of NAME_ENDS) GROUP_BY_PAIR[before | (quote << 8)] = MEMBER_GROUP
  for (const after of AFTER_NAME) GROUP_BY_PAIR[quote | (after << 8)] = MEMBER_GROUP
}
for (const { text, even, odd } of ANCHORS) {
  const anchor = new TextEncoder().encode(text)
  for (const offset of [even, odd]) {
    const pair = anchor[offset]! | (anchor[offset + 1]! << 8)
    GROUP_BY_PAIR[pair] ||= PIECES_BY_GROUP.push([]) - 1
    PIECES_BY_GROUP[GROUP_BY_PAIR[pair]!]!.push({ anchor, offset })
  }
}

/**
 * Places in this body where a secret may be, in order, ended by Infinity; null where there are too many to be told one
 * by one. It only nominates: a place may lie in a key or across fields. Two bytes are looked at together, so that one
 * quick pass serves all shapes; every anchor has a pair at an even and one at an odd offset, of which one is met.
 */
export function nominate(body: Uint8Array): number[] | null {
  const table = GROUP_BY_PAIR
  const places: number[] = []
  // Words must lie on multiples of four. The one to three bytes before the first hold tags and lengths, never a text.
  const first = -body.byteOffset & 3
  const words = new Uint32Array(
    body.buffer,
    body.byteOffset + Math.min(first, body.length),
    Math.max(0, body.length - first) >> 2,
  )
  const last = words.length - 1
  let i = 0
  // Two words a turn: twice as fast as one.
  for (; i < last; i += 2) {
    const a = words[i]!
    const b = words[i + 1]!
    const a1 = table[a & 0xffff]!
    const a2 = table[a >>> 16]!
    const b1 = table[b & 0xffff]!
    const b2 = table[b >>> 16]!
    if ((a1 | a2 | b1 | b2) === 0) continue
    const at = first + i * 4
    if (a1 !== 0 && isAnchored(body, at, a1)) places.push(at)
    if (a2 !== 0 && isAnchored(body, at + 2, a2)) places.push(at + 2)
    if (b1 !== 0 && isAnchored(body, at + 4, b1)) places.push(at + 4)
    if (b2 !== 0 && isAnchored(body, at + 6, b2)) places.push(at + 6)
    if (places.length > NOMINATIONS_MAX) return null
  }
  for (let at = first + i * 4; at < body.length; at++) {
    const group = table[body[at]! | ((body[at + 1] ?? 0) << 8)]!
    if (group !== 0 && isAnchored(body, at, group)) places.push(at)
  }
  places.push(Number.POSITIVE_INFINITY)
  return places
}

/** Whether the two bytes at this place, which are of this group, belong to an anchor, to an @ behind user and password, or to a key. */
function isAnchored(body: Uint8Array, at: number, group: number): boolean {
  if (group === AT_GROUP) return endsUserInfo(body, body[at] === AT ? at : at + 1)
  if (group === MEMBER_GROUP) return closesSecretName(body, at)
  const pieces = PIECES_BY_GROUP[group]!
  for (let i = 0; i < pieces.length; i++) if (startsWith(body, at - pieces[i]!.offset, pieces[i]!.anchor)) return true
  return false
}

function startsWith(body: Uint8Array, at: number, text: Uint8Array): boolean {
  if (at < 0) return false
  for (let i = 0; i < text.length; i++) if (body[at + i] !== text[i]) return false
  return true
}

/** Whether a URL's user and password, `://user:password`, may stand in front of this @. */
function endsUserInfo(body: Uint8Array, at: number): boolean {
  const floor = Math.max(2, at - USER_INFO_MAX_BYTES)
  let colon = false
  for (let p = at - 1; p >= floor; p--) {
    const byte = body[p]!
    if (byte === 0x2f) return colon && body[p - 1] === 0x2f && body[p - 2] === 0x3a
    if (byte <= 0x20 || byte === AT) return false
    if (byte === 0x3a) colon = true
  }
  return false
}
