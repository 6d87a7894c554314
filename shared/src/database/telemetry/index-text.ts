/** Longest text that enters an index or a dictionary, in UTF-16 units. What is stored of a span is never cut. */
const INDEX_TEXT_MAX = 256

/**
 * Text of telemetry as rows name it: bounded, without NUL and lone surrogates (SQLite compares 'a\0b' as 'a').
 * Whoever looks a row up by such a text passes it through here first.
 */
export function toIndexText(text: string): string {
  const bounded = text.length > INDEX_TEXT_MAX ? text.slice(0, INDEX_TEXT_MAX) : text
  const whole = bounded.isWellFormed() ? bounded : bounded.toWellFormed()
  return whole.includes('\0') ? whole.replaceAll('\0', '\ufffd') : whole
}
