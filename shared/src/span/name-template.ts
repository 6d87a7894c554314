import { boundText } from './attribute-values.ts'

/** Names longer than this are cut before they are looked at: templating costs time linear in this. */
const NAME_CHARS_MAX = 200
/** A segment longer than this is a token or a title, not a word of the route. */
const SEGMENT_CHARS_MAX = 48
/** Paths deeper than this share one template. */
const PATH_SEGMENTS_MAX = 8
const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi
const WORD = /[0-9A-Za-z]+/g
/** A run this long that mixes letters and digits is an id (ULID, nanoid, base62), not a word. */
const MIXED_ID_CHARS_MIN = 20
const HEX_ID_CHARS_MIN = 8
const CODE_CHARS_MIN = 8

/** What follows the name in a URL, and addresses of people: never part of a name. */
const QUERY = /\?\S*/g
const EMAIL = /[^\s/@]+@[^\s/@]+/g

/**
 * The name without what varies from run to run: UUIDs, numbers, hex of 8 and more, codes in capitals, long mixed ids and
 * stretches of four digits become `*`, so do e-mail addresses; short marks such as `v2` or `s3` stay. At most 200 characters.
 */
export function templateName(name: string): string {
  const text = boundText(name, NAME_CHARS_MAX)
  if (!mayVary(text)) return text
  return text.replace(QUERY, '').replace(EMAIL, '*').replace(UUID, '*').replace(WORD, templateWord).trim()
}

/** The path with `:id` for every segment that varies, without query and fragment. */
export function templatePath(path: string): string {
  const end = path.search(/[?#]/)
  const bounded = boundText(end < 0 ? path : path.slice(0, end), NAME_CHARS_MAX)
  const segments = bounded.split('/')
  const shown = segments
    .slice(0, PATH_SEGMENTS_MAX + 1)
    .map(templateSegment)
    .join('/')
  const template = segments.length > PATH_SEGMENTS_MAX + 1 ? `${shown}/*` : shown
  return template.startsWith('/') ? template : `/${template}`
}

function templateSegment(segment: string): string {
  if (segment.length > SEGMENT_CHARS_MAX || segment.includes('%')) return ':id'
  return mayVary(segment) && templateName(segment) !== segment ? ':id' : segment
}

function templateWord(word: string): string {
  if (!mayVary(word)) return word
  if (/^\d+$/.test(word)) return '*'
  if (word.length >= HEX_ID_CHARS_MIN && /^[0-9a-f]+$/i.test(word)) return '*'
  if (word.length >= MIXED_ID_CHARS_MIN || isCode(word)) return '*'
  return word.replace(/\d{4,}/g, '*')
}

/** Capitals and digits, such as an article number or a booking code; `UTF8` and `V1` are too short to be one. */
function isCode(word: string): boolean {
  return word.length >= CODE_CHARS_MIN && /^[0-9A-Z]+$/.test(word)
}

/** True where the text holds a digit, `?` or `@`: without one there is nothing to replace. */
function mayVary(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if ((code >= 0x30 && code <= 0x39) || code === 0x3f || code === 0x40) return true
  }
  return false
}
