import type { OtlpAttributes, OtlpValue } from '../otlp/model.ts'
import { jsonOf, type Part, partOf, partsOf, textIn } from '../span/steps/json-parts.ts'

/** Names by which harnesses and data sets call a task that is run more than once. */
const TASK_KEYS = [
  'test.case.id',
  'test.case.name',
  'task.id',
  'task_id',
  'dataset.item.id',
  'dataset_item_id',
  'langfuse.dataset.item.id',
  'eval.case.id',
] as const

/** What a run was asked, whole, by dialect; in order of trust. */
const REQUEST_KEYS = [
  'gen_ai.input.messages',
  'input.value',
  'ai.prompt.messages',
  'ai.prompt',
  'traceloop.entity.input',
  'gen_ai.prompt',
] as const

/** First messages of dialects that number them; the system's own words may come before the user's. */
const NUMBERED_KEYS = [0, 1, 2].flatMap((at) => [
  [`llm.input_messages.${at}.message.role`, `llm.input_messages.${at}.message.content`] as const,
  [`gen_ai.prompt.${at}.role`, `gen_ai.prompt.${at}.content`] as const,
])

export const REQUEST_ATTRIBUTES: readonly string[] = [...TASK_KEYS, ...REQUEST_KEYS, ...NUMBERED_KEYS.flat()]

/** What a run was to do: by the name of its task where it has one, and by the words that it began with. */
export interface Request {
  task: string | null
  words: string | null
}

const WORDS_MAX_CHARS = 8_192

export function requestOf(attributes: OtlpAttributes): Request {
  const named = TASK_KEYS.map((key) => attributes.get(key)).find(
    (value) => typeof value === 'string' || typeof value === 'number',
  )
  const words = wordsOf(attributes)
  return { task: named === undefined ? null : String(named), words: words === null ? null : words.slice(0, WORDS_MAX_CHARS) }
}

/** The same task, else the same words; spaces apart. */
export function isSameRequest(a: Request, b: Request): boolean {
  if (a.task !== null && b.task !== null) return a.task === b.task
  return a.words !== null && b.words !== null && squeezed(a.words) === squeezed(b.words)
}

const squeezed = (text: string) => text.trim().split(/\s+/).join(' ')

function wordsOf(attributes: OtlpAttributes): string | null {
  for (const key of REQUEST_KEYS) {
    const value = attributes.get(key)
    const words = value === undefined || value === null ? null : wordsIn(value)
    if (words !== null) return words
  }
  for (const [role, content] of NUMBERED_KEYS) {
    const words = attributes.get(content)
    if (attributes.get(role) === 'user' && typeof words === 'string' && words !== '') return words
  }
  return null
}

/** The first message of a user among messages; anything else as it was sent. */
function wordsIn(value: OtlpValue): string | null {
  const parsed = jsonOf(value)
  if (parsed === undefined) return typeof value === 'string' && value.trim() !== '' ? value : null
  const messages = partsOf(parsed).length > 0 ? partsOf(parsed) : partsOf(partOf(parsed)?.get('messages'))
  const first = messages.find(
    (message) => textIn(message, 'role', 'type') === 'user' || textIn(message, 'role', 'type') === 'human',
  )
  if (first) return textOfMessage(first)
  return typeof value === 'string' ? value : null
}

function textOfMessage(message: Part): string | null {
  const parts = [...partsOf(message.get('parts')), ...partsOf(message.get('content'))]
  const texts = [textIn(message, 'content'), ...parts.map((part) => textIn(part, 'content', 'text'))]
  const words = texts.filter((text) => text !== null && text !== '')
  return words.length === 0 ? null : words.join('\n')
}
