import { significantLines } from './lines.ts'
import { DRAWN, KEEP, VALUE_KINDS } from './value-kinds.ts'

/** Longer texts are cut: a message's meaning stands at its beginning, and the cost stays bounded. */
export const TEMPLATE_INPUT_MAX_CHARS = 8_192

/** Beyond this many tokens a message is payload. */
const TOKENS_MAX = 160

/** Stands for a value while tokens are cut; a character that no text holds after decoding is not needed, it only must not be a space. */
const MARK = '\uFFFC'

/** Where a value was. */
const SLOT = '*'

const VALUES = new RegExp(VALUE_KINDS.map(([name, pattern]) => `(?<${name}>${pattern})`).join('|'), 'giu')
const DRAWN_LETTERS = new RegExp(DRAWN, 'gu')

/**
 * The constant part of an error text: values become `*`, so that the same failure has the same template whatever it failed on.
 * Stateless and linear: the same text always gives the same template, in any order, shard or replay.
 */
export function templateOf(text: string): string {
  const marked = text.slice(0, TEMPLATE_INPUT_MAX_CHARS).replace(VALUES, (match, ...rest) => {
    const groups = rest.at(-1) as Record<string, string | undefined>
    return groups[KEEP] === undefined ? MARK : match
  })
  const tokens: string[] = []
  for (const word of significantLines(marked.replace(DRAWN_LETTERS, MARK)).split(/\s+/)) {
    if (word === '') continue
    const token = word.includes(MARK) ? tokenWithSlot(word) : word
    if (tokens.at(-1)?.endsWith(SLOT) && (token === SLOT || BRACKETS.test(token))) continue
    if (tokens.length === TOKENS_MAX) break
    tokens.push(token)
  }
  return tokens.join(' ')
}

/** An empty pair or a separator beside a value belongs to it. */
const BRACKETS = /^[()[\]{}<>,;|-]+$/

/** What stands before the value in its token and names it: `rhost=`, `onExtend:`, `<memory:`; nothing else of the token is constant. */
const NAME_BEFORE_SLOT = /^[^\uFFFC]{0,80}[A-Za-z][^\uFFFC]{0,20}?(?:[:=(<[{]["']?|\.{2,80})(?=\uFFFC)/

function tokenWithSlot(word: string): string {
  const name = NAME_BEFORE_SLOT.exec(word)?.[0]
  return name === undefined ? SLOT : `${name}${SLOT}`
}
