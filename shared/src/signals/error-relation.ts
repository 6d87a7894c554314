import type { Detection, TraceSpan } from './model.ts'
import { templateOf } from './template.ts'

/** How much of a child's words is looked for in an ancestor's text, and how much of that text is looked at. */
const WORDS_MAX_CHARS = 120
const TEXT_MAX_CHARS = 16_384
/** Shorter words are found anywhere by accident. */
const WORDS_MIN_CHARS = 4
/** A text cut by some limit still shows this much of what it repeats. */
const CUT_WORDS_MIN_CHARS = 24

/** Distinct comparisons of texts per trace; beyond it only equal texts are seen as one. Bounds what a hostile trace can cost. */
const COMPARISONS_MAX = 2_000

/** Says that something failed and no more: a protocol's phrase for its code. */
const NO_OWN_WORDS =
  /^(?:http |http\/[\d.]+ )?(?:error |status |code )?:?(?:\d{3}[ :-]{0,3})?(?:internal server error|bad gateway|service unavailable|gateway time-?out|not found|bad request|too many requests|unauthorized|forbidden|request failed with status code \d{3}|internal|unavailable|unknown|unset|error|failed|failure|unknown error|internal error)?[.!]?$/i

/** What of an error is compared. */
interface Words {
  /** The beginning of the message, without its type; empty where there are no own words. */
  own: string
  /** Message, status text and stack: where another error's words may be repeated. */
  all: string
  type: string
  code: string
}

export type ErrorRelation = 'repeats' | 'wordless' | 'own'

/**
 * Tells how an ancestor's error relates to that of a failing descendant: it repeats it (contains its words, wraps it, or is the same
 * type and template), it has no words of its own (a mere status or code), or it is an error of its own. Create one per trace:
 * texts are prepared once and the number of comparisons is bounded.
 */
export function createErrorRelation(
  spans: readonly TraceSpan[],
  template: (text: string) => string = templateOf,
): (ancestor: number, descendant: number) => ErrorRelation {
  const prepared = new Map<number, Words>()
  const known = new Map<string, Map<string, boolean>>()
  let compared = 0
  const wordsOf = (i: number) => {
    const found = prepared.get(i) ?? prepareWords(spans[i]!)
    prepared.set(i, found)
    return found
  }
  const repeats = (above: Words, below: Words): boolean => {
    const of = known.get(above.all) ?? new Map<string, boolean>()
    const error = `${below.type}\n${below.code}\n${below.own}`
    const found = of.get(error)
    if (found !== undefined) return found
    if (compared >= COMPARISONS_MAX) return false
    compared++
    const answer = repeatsError(above, below)
    known.set(above.all, of.set(error, answer))
    return answer
  }
  return (ancestor, descendant) => {
    const above = wordsOf(ancestor)
    const below = wordsOf(descendant)
    if (above.own !== '' && above.own === below.own) return 'repeats'
    if (repeats(above, below)) return 'repeats'
    if (above.own === '') return 'wordless'
    return sameTemplate(above, below, template) || wrapsTemplate(above, below, template) ? 'repeats' : 'own'
  }
}

function repeatsError(above: Words, below: Words): boolean {
  if (below.own.length >= WORDS_MIN_CHARS && holds(above.all, below.own)) return true
  if (below.own === '') return mentions(above.all, below.code) || mentions(above.all, below.type)
  if (below.type.length < WORDS_MIN_CHARS || !mentions(above.all, below.type)) return false
  return below.own.length >= CUT_WORDS_MIN_CHARS && above.all.includes(below.own.slice(0, CUT_WORDS_MIN_CHARS))
}

function sameTemplate(above: Words, below: Words, template: (text: string) => string): boolean {
  return above.type !== '' && above.type === below.type && template(above.own) === template(below.own)
}

/** It repeats the other in words of its own, with another number in it: "order failed: gave up after 3001 ms". */
function wrapsTemplate(above: Words, below: Words, template: (text: string) => string): boolean {
  if (!/\d/.test(below.own) || above.own.length <= below.own.length || below.own.length < CUT_WORDS_MIN_CHARS) return false
  return template(above.own).endsWith(template(below.own))
}

function mentions(text: string, word: string): boolean {
  return word.length >= 3 && holds(text, word)
}

/** Whether the words stand in the text as whole words. */
function holds(text: string, words: string): boolean {
  const at = text.indexOf(words)
  if (at < 0) return false
  const end = at + words.length
  const cut = words.length >= WORDS_MAX_CHARS
  return !isWordCharacter(text[at - 1]) && (cut || !isWordCharacter(words.at(-1)) || !isWordCharacter(text[end]))
}

function isWordCharacter(character: string | undefined): boolean {
  return character !== undefined && /\w/.test(character)
}

/** Whether an error says more than that there was one. */
export function hasOwnWords(detection: Detection): boolean {
  return ownWordsOf(detection) !== ''
}

function ownWordsOf(detection: Detection | null): string {
  const message = plain(detection?.message ?? '')
  const type = shortType(detection).toLowerCase()
  const stripped = (message.startsWith(`${type}: `) ? message.slice(type.length + 2) : message).trim()
  return NO_OWN_WORDS.test(stripped) ? '' : stripped.slice(0, WORDS_MAX_CHARS)
}

function prepareWords({ span, detection }: TraceSpan): Words {
  const type = shortType(detection).toLowerCase()
  return {
    own: ownWordsOf(detection),
    all: plain(
      [detection?.errorType, detection?.message, span.status.message, detection?.stack].filter((text) => text).join('\n'),
    ),
    type: /^\d*$/.test(type) ? '' : type,
    code: (detection?.code ?? '').toLowerCase(),
  }
}

function shortType(detection: Detection | null): string {
  const type = detection?.errorType ?? ''
  return /^[\w$.]+$/.test(type) ? type.slice(type.lastIndexOf('.') + 1) : type
}

/** One spelling of a text: a wrapped message is often quoted, escaped, broken into lines anew or begun with another letter. */
function plain(text: string): string {
  return text
    .slice(0, TEXT_MAX_CHARS)
    .replace(/[\\\s]+/g, ' ')
    .toLowerCase()
}
