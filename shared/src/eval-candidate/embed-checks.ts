import { TOOL_ERROR_HEAD } from '../signals/tool-error-head.ts'
import * as checks from './check-run.ts'
import * as reading from './read-run.ts'
import * as effects from './tool-effects.ts'

/** What the functions below use that is no function. */
const CONSTANTS = {
  TOOL_ERROR_HEAD,
  READING: effects.READING,
  CHANGING: effects.CHANGING,
  PERHAPS_CHANGING: effects.PERHAPS_CHANGING,
  NUMERAL: effects.NUMERAL,
  LONG_CHARS: effects.LONG_CHARS,
}

/**
 * The checks as JavaScript that stands by itself: the very functions that the product checks with, so that an exported test cannot
 * judge otherwise. Only our own code is in it, never a word of telemetry.
 */
export function embeddedChecks(): string {
  const constants = Object.entries(CONSTANTS).map(([name, value]) => `const ${name} = ${String(value)}`)
  const functions = [effects, checks, reading]
    .flatMap((module) => Object.values(module))
    .filter((part) => typeof part === 'function')
    .map((part) => withoutGaps(String(part)))
  return [...constants, ...functions].join('\n\n')
}

/** Where types stood, blanks are left. */
function withoutGaps(code: string): string {
  return code
    .replace(/(\w) {2,}\(/g, '$1(')
    .replace(/(\S) {2,}/g, '$1 ')
    .replace(/(\S) +([,)])/g, '$1$2')
    .replace(/[ \t]+$/gm, '')
}
