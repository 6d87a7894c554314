import { healthyTurns, type SoftRule } from './rule.ts'

/** Finish reasons by which providers say that they or the model refused: OpenAI, Azure, Anthropic, Gemini, Bedrock. */
const REASONS =
  /^(?:content[_-]?filter(?:ed)?|refusal|safety|recitation|blocklist|prohibited_content|spii|image_safety|guardrail_intervened|error_toxic)$/i

/** Nothing else begins like this: the model says that it will not, and not what it could not do. */
const WORDS =
  /^\W{0,4}(?:(?:I['’]m|I am|We['’]re) (?:very |really |so )?sorry[,.]?(?: but)? |Sorry[,.]?(?: but)? |I apologi[sz]e[,.]?(?: but)? |As an AI[^.]{0,60}, )?I (?:can['’]?t|cannot|can not|won['’]?t|am (?:not able|unable) to|['’]m (?:not able|unable) to|must decline to) (?:help(?: you)? with|assist(?: you)? with|comply with|fulfil+ |provide assistance with|engage (?:in|with)|participate in) (?:that|this|your request|it|these|such|requests?)\b/i

/** The model or its provider refused to answer. */
export const refusal: SoftRule = {
  signal: 'refusal',
  find: (trace) =>
    healthyTurns(trace).flatMap(({ at }) => {
      const reason = trace.finishReasonsOf(at).find((one) => REASONS.test(one))
      if (reason !== undefined)
        return [{ at, errorType: reason, message: 'the model refused', because: `finish reason ${reason}` }]
      const output = trace.outputOf(at)
      if (output === null) return []
      if (output.refusal !== null)
        return [{ at, errorType: 'refusal', message: 'the model refused', because: 'the answer holds a refusal' }]
      const isShort = output.calls.length === 0 && output.text.length <= trace.thresholds.refusalMaxChars
      const said = isShort ? WORDS.exec(output.text)?.[0] : undefined
      return said === undefined
        ? []
        : [{ at, errorType: 'refusal', message: 'the model refused', because: `it says "${said.trim()}"` }]
    }),
}
