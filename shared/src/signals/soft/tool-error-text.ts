import { TOOL_ERROR_HEAD } from '../tool-error-head.ts'
import { healthyTools, type SoftFinding, type SoftRule } from './rule.ts'
import type { SoftTrace } from './soft-trace.ts'

/** An error says so at once: further down stands what the tool was asked for. */
const HEAD_MAX_CHARS = 600
/** A page or a document is longer than the word that it cannot be had. */
const RESULT_MAX_CHARS = 6_000

const AUTH =
  /\b(?:401 (?:client error|unauthori[sz]ed)|403 (?:client error|forbidden)|(?:http |client |status |response )?(?:error|status)(?: code)?[ :=]{1,3}40[13]\b|HTTP(?:\/[\d.]{1,3})?[ :]40[13]\b|HTTPError: 40[13])/i
const TIMEOUT =
  /\b(?:(?:request|connection|read|operation|query|execution|command|gateway) timed? ?-?out\b|timed out (?:after|waiting|while)|(?:Read|Connect|Request)?Timeout(?:Error|Exception|Expired)\b|504 gateway time-?out|deadline exceeded)/i

/** A tool that went well by its status and says in its result that it did not: refused, out of time, or with an error at its head. */
const findText = (trace: SoftTrace, pattern: RegExp, isFirst: boolean): SoftFinding[] =>
  healthyTools(trace).flatMap((at) => {
    const result = trace.resultOf(at)
    if (result === null || result.length > RESULT_MAX_CHARS) return []
    const head = result.slice(0, HEAD_MAX_CHARS)
    const found = pattern.exec(head)
    if (found === null || (!isFirst && !standsAtHead(head, found.index))) return []
    return [
      {
        at,
        errorType: null,
        message: lineAt(head, found.index),
        because: `the result of a tool says "${found[0].trim().slice(0, 80)}"`,
      },
    ]
  })

/** Before it stands nothing but a title and an address. */
function standsAtHead(head: string, at: number): boolean {
  return head.slice(0, at).split('\n').length <= 6 && at <= 400
}

function lineAt(text: string, at: number): string {
  const start = text.lastIndexOf('\n', at) + 1
  const end = text.indexOf('\n', at)
  return text.slice(start, end < 0 ? undefined : end).trim()
}

export const toolAuthText: SoftRule = { signal: 'auth_failure', find: (trace) => findText(trace, AUTH, false) }
export const toolTimeoutText: SoftRule = { signal: 'timeout', find: (trace) => findText(trace, TIMEOUT, false) }
export const toolErrorText: SoftRule = { signal: 'tool_failure', find: (trace) => findText(trace, TOOL_ERROR_HEAD, true) }
