import type { OtlpAttributes } from '../otlp/model.ts'

/** More tokens than any model call has: a larger count is a mistake or an attack on the sums. */
const COUNT_MAX = 1_000_000_000

/**
 * The text as it may enter a view or an index: at most `charsMax` UTF-16 units, never half a character,
 * NUL and lone surrogates as U+FFFD. A cut text is copied, so that 200 characters never keep 8 MB alive.
 */
export function boundText(text: string, charsMax: number): string {
  if (text.length <= charsMax) return showable(text)
  const last = text.charCodeAt(charsMax - 1)
  const end = last >= 0xd800 && last <= 0xdbff ? charsMax - 1 : charsMax
  return showable(Array.from(text.slice(0, end)).join(''))
}

/** NUL and lone surrogates become U+FFFD: SQLite ends a text at NUL, and a lone surrogate is no UTF-8. */
export function showable(text: string): string {
  const wellFormed = text.isWellFormed() ? text : text.toWellFormed()
  return wellFormed.includes('\0') ? wellFormed.replaceAll('\0', '\ufffd') : wellFormed
}

/** The attribute's text, trimmed and bounded; null where it is absent, empty or no text. */
export function textAt(attributes: OtlpAttributes, key: string, charsMax: number): string | null {
  const value = attributes.get(key)
  if (typeof value !== 'string') return null
  const text = boundText(value, charsMax).trim()
  return text === '' ? null : text
}

/** As `textAt`; an integer counts as text too, since ids are often sent as numbers. */
export function idAt(attributes: OtlpAttributes, key: string, charsMax: number): string | null {
  const value = attributes.get(key)
  if (typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value))) return String(value)
  return textAt(attributes, key, charsMax)
}

/** A count: a whole number from 0 to a billion, also as decimal text; null for anything else. */
export function countAt(attributes: OtlpAttributes, key: string): number | null {
  return countOf(attributes.get(key))
}

export function countOf(sent: unknown): number | null {
  const value = numberOf(sent)
  return value === null || value < 0 || value > COUNT_MAX ? null : Math.round(value)
}

/** An amount of money: a number from 0, also as decimal text; null for anything else. */
export function amountAt(attributes: OtlpAttributes, key: string): number | null {
  return amountOf(attributes.get(key))
}

export function amountOf(sent: unknown): number | null {
  const value = numberOf(sent)
  return value === null || value < 0 || value > COUNT_MAX ? null : value
}

function numberOf(value: unknown): number | null {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null
  if (typeof value === 'bigint') return Number(value)
  return typeof value === 'string' && /^\d{1,15}(\.\d{1,18})?$/.test(value) ? Number(value) : null
}
