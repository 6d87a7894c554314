/**
 * Text from telemetry is written by anyone who can send a span: it is shown, never obeyed. These functions make it visible and
 * keep it inside its frame, in Markdown and in one line.
 */

/** Characters that steer a display or hide from a reader: controls but tab and line feed, bidi, zero width, tags, selectors. */
const UNSEEN =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: controls are exactly what is looked for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\ufe00-\ufe0f]|[\u{e0000}-\u{e0fff}]|\p{Surrogate}/gu

/** Nearly all text is such: a look at it costs a tenth of a search. */
const PLAIN = /^[\x20-\x7e]*$/

/** The text with every unseen character written out, as `\u{202e}`. Line feeds and tabs stay. */
export function visibleText(text: string): string {
  if (PLAIN.test(text)) return text
  return text.replaceAll(UNSEEN, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`)
}

/** One visible line of at most so many characters; what was cut is marked. */
export function oneLine(text: string, charactersMax: number): string {
  return cut(
    visibleText(text.slice(0, charactersMax * 4))
      .replaceAll(/\s+/g, ' ')
      .trim(),
    charactersMax,
  )
}

/** At most so many characters, never half a surrogate pair; an ellipsis marks a cut. */
export function cut(text: string, charactersMax: number): string {
  if (text.length <= charactersMax) return text
  const end = charactersMax - 1
  const splitsPair = (text.charCodeAt(end - 1) & 0xfc00) === 0xd800
  return `${text.slice(0, splitsPair ? end - 1 : end)}…`
}

/** A Markdown code span that the text cannot leave: the fence is longer than any run of backticks in it. */
export function codeSpan(text: string, charactersMax: number): string {
  const line = oneLine(text, charactersMax)
  const fence = '`'.repeat(longestBackticks(line) + 1)
  const pad = line === '' || line.startsWith('`') || line.endsWith('`') ? ' ' : ''
  return `${fence}${pad}${line}${pad}${fence}`
}

/** A code span for a table cell: a pipe would end the cell, even inside the span. */
export function tableCell(text: string, charactersMax: number): string {
  return codeSpan(text, charactersMax).replaceAll('|', '\\|')
}

/** A fenced block that says what it holds; the text can neither end the fence nor hide in it. */
export function fencedBlock(text: string, charactersMax: number): string {
  const visible = cut(visibleText(text), charactersMax)
  const fence = '`'.repeat(Math.max(3, longestBackticks(visible) + 1))
  return `${fence}text untrusted-telemetry\n${visible}\n${fence}`
}

function longestBackticks(text: string): number {
  let longest = 0
  for (const [run] of text.matchAll(/`+/g)) longest = Math.max(longest, run.length)
  return longest
}
