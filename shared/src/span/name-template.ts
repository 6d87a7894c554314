import { boundText } from './attribute-values.ts'

/** Names longer than this are cut before they are looked at: templating costs time linear in this. */
const NAME_CHARS_MAX = 200
/** Paths deeper than this share one template. */
const PATH_SEGMENTS_MAX = 8
const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi
const WORD = /[0-9A-Za-z]+/g
/** A run this long that mixes letters and digits is an id (ULID, nanoid, base62), not a word. */
const MIXED_ID_CHARS_MIN = 20
const HEX_ID_CHARS_MIN = 8
const CODE_CHARS_MIN = 8

/**
 * The name without what varies from run to run: UUIDs, numbers, hex of 8 and more, codes in capitals, long mixed ids and
 * stretches of four digits become `*`; short marks such as `v2` or `s3` stay. At most 200 characters.
 */
export function templateName(name: string): string {
  const text = boundText(name, NAME_CHARS_MAX)
  return hasDigit(text) ? text.replace(UUID, '*').replace(WORD, templateWord) : text
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
  if (segment.includes('%') || segment.includes('@')) return ':id'
  return hasDigit(segment) && templateName(segment) !== segment ? ':id' : segment
}

function templateWord(word: string): string {
  if (!hasDigit(word)) return word
  if (/^\d+$/.test(word)) return '*'
  if (word.length >= HEX_ID_CHARS_MIN && /^[0-9a-f]+$/i.test(word)) return '*'
  if (word.length >= MIXED_ID_CHARS_MIN || isCode(word)) return '*'
  return word.replace(/\d{4,}/g, '*')
}

/** Capitals and digits, such as an article number or a booking code; `UTF8` and `V1` are too short to be one. */
function isCode(word: string): boolean {
  return word.length >= CODE_CHARS_MIN && /^[0-9A-Z]+$/.test(word)
}

function hasDigit(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code >= 0x30 && code <= 0x39) return true
  }
  return false
}
