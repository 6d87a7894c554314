import { type HardRule, wordsMatch } from './rule.ts'

const WORDS =
  /\b(?:got an unexpected keyword argument|missing \d{1,3} required (?:positional|keyword-only) arguments?|missing required (?:argument|parameter|property|field)|got multiple values for argument|takes \d{1,3} positional arguments? but \d{1,3} (?:was|were) given|(?:invalid|unknown|unrecognized|unexpected) (?:tool )?(?:arguments?|parameters?)(?: for| of| to|:)|invalid params\b|must have required property|additional properties|did not match (?:the )?(?:expected )?schema|arguments? (?:is|are) not valid JSON|invalid (?:input|arguments?) for tool)|-32602\b|InvalidTool(?:Arguments|Input)|ToolInputParsing|InvalidFunctionArguments/i

/** Pydantic and what is built on it name the model that the input did not fit: that of a tool's arguments goes by the tool's name. */
const MISFIT = /\bvalidation errors? for (?:call\[)?([\w.]{1,120})/i

/** A tool that failed of how it was called: its callers' model asked for what it does not take. */
export const wrongToolArguments: HardRule = {
  signal: 'invalid_tool_arguments',
  applies: (evidence) => {
    if (evidence.view.kind !== 'tool') return null
    const misfit = MISFIT.exec(evidence.words)
    const isOwn = misfit !== null && plainName(misfit[1]!) === plainName(evidence.view.tool ?? '')
    return isOwn ? `error text says "${misfit[0]}"` : wordsMatch(evidence, WORDS)
  },
}

/** `search_docs`, `SearchDocsInput` and `searchDocs.args` are one. */
function plainName(name: string): string {
  return name.replace(/[_.]|(?:schema|input|args|arguments|params|parameters|model|tool)$/gi, '').toLowerCase()
}
