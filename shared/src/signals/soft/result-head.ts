import { jsonOf, type Part, partOf, textIn } from '../../span/steps/json-parts.ts'

/** An error says so at once: further down stands what the tool was asked for. */
const HEAD_MAX_CHARS = 600
const WRAPPINGS_MAX = 3

/**
 * The beginning of a tool's result as far as it speaks for the tool: the text, or the words of an error object. '' where it is data: a
 * list, or an object that says no error of its own.
 */
export function headOfResult(result: string, depth = 0): string {
  const text = result.trimStart()
  const parsed = text.startsWith('"') ? parseText(text) : jsonOf(text)
  if (typeof parsed === 'string' && depth < WRAPPINGS_MAX) return headOfResult(parsed, depth + 1)
  if (parsed === undefined) return text.slice(0, HEAD_MAX_CHARS)
  const part = partOf(parsed)
  if (part === null) return ''
  const [only] = part.size === 1 ? part : []
  if (only && !ERROR_NAMES.has(only[0]) && typeof only[1] === 'string' && depth < WRAPPINGS_MAX)
    return headOfResult(only[1], depth + 1)
  return (errorInObject(part) ?? textIn(part, 'message', 'detail') ?? '').slice(0, HEAD_MAX_CHARS)
}

/** The words of an object that is an error and nothing else: `{"error": …}`, `{"status": "error", "message": …}`; null for data. */
export function errorOfResult(result: string): string | null {
  const part = partOf(jsonOf(result.trim()))
  const [only] = part?.size === 1 ? part : []
  const inner = only && !ERROR_NAMES.has(only[0]) ? partOf(jsonOf(only[1] as string)) : null
  const said = inner ?? part
  return said === null ? null : errorInObject(said)
}

const ERROR_NAMES: ReadonlySet<string> = new Set(['error', 'errors', 'exception'])
const MEMBERS_MAX = 6

function errorInObject(part: Part): string | null {
  const holdsData = [...part].some(([name, value]) => !ERROR_NAMES.has(name) && isFilled(value))
  if (part.size > MEMBERS_MAX || holdsData) return null
  const own = textIn(part, 'error', 'exception') ?? textIn(partOf(part.get('error')), 'message', 'detail')
  if (own !== null && own.trim() !== '' && !/^(?:none|null|no|false|0)$/i.test(own.trim())) return own
  const isFailed =
    part.get('success') === false || part.get('ok') === false || /^(?:error|failed|failure)$/i.test(textIn(part, 'status') ?? '')
  return isFailed ? textIn(part, 'error_message', 'errorMessage', 'message', 'detail', 'reason') : null
}

/** Lists and objects with something in them are what the tool was asked for. */
function isFilled(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : (partOf(value)?.size ?? 0) > 0
}

function parseText(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

/** `Title: Error 403`, a heading, a rule; and nothing that is a sentence or a line of a log. */
const LABEL = /^\s*(?:[A-Z][\w .-]{0,40}: ?\S|#{1,4} |\W*$)/
const LOG_LINE = /^\W{0,3}(?:\d{4}-\d\d-\d\d|\d\d:\d\d|(?:TRACE|DEBUG|INFO|WARN(?:ING)?|ERROR|FATAL|CRITICAL)\b(?!:))/
const WORDS_BEFORE_MAX = 3
const LINES_BEFORE_MAX = 6

/** Whether what stands at `at` is what the text has to say: before it is nothing but titles, addresses and a word or two. */
export function standsAtHead(head: string, at: number): boolean {
  const lines = head.slice(0, at).split('\n')
  const own = lines.pop()!
  if (lines.length >= LINES_BEFORE_MAX || !lines.every((line) => LABEL.test(line) && !LOG_LINE.test(line))) return false
  if (LOG_LINE.test(head.slice(at - own.length, at + 40))) return false
  return /[:=([{"'#>-]\s*$/.test(own) || own.trim().split(/\s+/).length <= WORDS_BEFORE_MAX
}
