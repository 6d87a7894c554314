import { TOOL_ERROR_HEAD } from '../tool-error-head.ts'
import { errorOfResult, headOfResult, standsAtHead } from './result-head.ts'
import { healthyTools, type SoftFinding, type SoftRule } from './rule.ts'
import type { SoftTrace } from './soft-trace.ts'

/** A page or a document is longer than the word that it cannot be had. */
const RESULT_MAX_CHARS = 6_000

const AUTH =
  /\b(?:401 (?:client error|unauthori[sz]ed)|403 (?:client error|forbidden)|(?:http |client |status |response )?(?:error|status)(?: code)?[ :=]{1,3}40[13]\b|HTTP(?:\/[\d.]{1,3})?[ :]40[13]\b|HTTPError: 40[13])/i
const TIMEOUT =
  /\b(?:(?:request|connection|read|operation|query|execution|command|gateway) timed? ?-?out\b|timed out (?:after|waiting|while)|(?:Read|Connect|Request)?Timeout(?:Error|Exception|Expired)\b|504 gateway time-?out|deadline exceeded)/i

/** A tool that went well by its status and says in its result that it did not: refused, out of time, or with an error at its head. */
const findText = (trace: SoftTrace, said: (result: string) => Said | null): SoftFinding[] =>
  healthyTools(trace).flatMap((at) => {
    const result = trace.resultOf(at)
    const found = result === null || result.length > RESULT_MAX_CHARS ? null : said(result)
    if (found === null) return []
    const because = `the result of a tool says "${found.words.trim().slice(0, 80)}"`
    return [{ at, errorType: null, message: found.line, because }]
  })

interface Said {
  words: string
  line: string
}

function wordsAtHead(result: string, pattern: RegExp): Said | null {
  const head = headOfResult(result)
  const found = pattern.exec(head)
  if (found === null || !standsAtHead(head, found.index)) return null
  return { words: found[0], line: lineAt(head, found.index) }
}

/** An error at the very beginning, or an object that is one. */
function errorAtHead(result: string): Said | null {
  const head = headOfResult(result)
  const words = TOOL_ERROR_HEAD.exec(head)?.[0]
  if (words !== undefined) return { words, line: lineAt(head, 0) }
  const error = errorOfResult(result)
  return error === null ? null : { words: error, line: lineAt(error, 0) }
}

function lineAt(text: string, at: number): string {
  const start = text.lastIndexOf('\n', at) + 1
  const end = text.indexOf('\n', at)
  return text.slice(start, end < 0 ? undefined : end).trim()
}

export const toolAuthText: SoftRule = {
  signal: 'auth_failure',
  find: (trace) => findText(trace, (said) => wordsAtHead(said, AUTH)),
}
export const toolTimeoutText: SoftRule = {
  signal: 'timeout',
  find: (trace) => findText(trace, (said) => wordsAtHead(said, TIMEOUT)),
}
export const toolErrorText: SoftRule = { signal: 'tool_failure', find: (trace) => findText(trace, errorAtHead) }
