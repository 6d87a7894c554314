import { type HardRule, wordsMatch } from './rule.ts'

const WORDS =
  /\b(?:got an unexpected keyword argument|missing \d{1,3} required (?:positional|keyword-only) arguments?|missing required (?:argument|parameter|property|field)|got multiple values for argument|takes \d{1,3} positional arguments? but \d{1,3} (?:was|were) given|(?:invalid|unknown|unrecognized|unexpected) (?:tool )?(?:arguments?|parameters?)(?: for| of| to|:)|invalid params\b|must have required property|additional properties|did not match (?:the )?(?:expected )?schema|arguments? (?:is|are) not valid JSON)|-32602\b/i

/** A tool that failed of how it was called: its callers' model asked for what it does not take. */
export const wrongToolArguments: HardRule = {
  signal: 'invalid_tool_arguments',
  applies: (evidence) => (evidence.view.kind === 'tool' ? wordsMatch(evidence, WORDS) : null),
}
