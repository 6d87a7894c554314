import { USER_FINGERPRINT_KEY } from '../keys.ts'
import type { Detection } from '../model.ts'
import type { SignalType } from '../signal-type.ts'
import { emptyOutput } from './empty-output.ts'
import { incomplete } from './incomplete.ts'
import { invalidToolArguments } from './invalid-tool-arguments.ts'
import { negativeFeedback } from './negative-feedback.ts'
import { orphanToolCall } from './orphan-tool-call.ts'
import { refusal } from './refusal.ts'
import { repeatedStep } from './repeated-step.ts'
import { retryStorm } from './retry-storm.ts'
import type { SoftFinding, SoftRule } from './rule.ts'
import type { SoftTrace } from './soft-trace.ts'
import { toolAuthText, toolErrorText, toolTimeoutText } from './tool-error-text.ts'
import { truncatedOutput } from './truncated-output.ts'

/** Where two rules see the same span, the first names it: what is said outright before what is inferred. */
const RULES: readonly SoftRule[] = [
  refusal,
  truncatedOutput,
  toolAuthText,
  toolTimeoutText,
  toolErrorText,
  invalidToolArguments,
  emptyOutput,
  orphanToolCall,
  repeatedStep,
  retryStorm,
  incomplete,
  negativeFeedback,
]

/** Names of tools are whatever a model made of them. */
const TYPE_MAX_CHARS = 200
const MESSAGE_MAX_CHARS = 500
export const BECAUSE_MAX_CHARS = 300

/** A soft signal at the span that it is blamed on; `alsoAt` shows it too and is no second pain. */
export interface SoftFailure {
  at: number
  detection: Detection
  alsoAt: number[]
}

/**
 * The soft signals of a trace, at most one a span, in the order of the tree. A span with a hard signal has none: what is soft in it is
 * evidence for the error.
 */
export function findSoft(trace: SoftTrace, off: ReadonlySet<SignalType>): SoftFailure[] {
  const found = new Map<number, SoftFailure>()
  for (const { signal, find, isBesideErrors } of RULES) {
    if (off.has(signal)) continue
    for (const finding of find(trace)) {
      const hasError = isBesideErrors ? trace.isBlamed(finding.at) : trace.fails(finding.at)
      if (hasError || found.has(finding.at)) continue
      found.set(finding.at, { at: finding.at, detection: toDetection(trace, signal, finding), alsoAt: finding.alsoAt ?? [] })
    }
  }
  return [...found.values()].sort((a, b) => a.at - b.at)
}

function toDetection({ tree }: SoftTrace, signal: SignalType, { at, errorType, message, because }: SoftFinding): Detection {
  const { span } = tree.spans[at]!
  const own = span.attributes.get(USER_FINGERPRINT_KEY)
  return {
    signal,
    errorType: errorType?.slice(0, TYPE_MAX_CHARS) ?? null,
    message: message.slice(0, MESSAGE_MAX_CHARS),
    stack: null,
    code: null,
    spanKind: span.kind,
    userFingerprint: typeof own === 'string' && own !== '' ? own.slice(0, 256) : null,
    because: because.slice(0, BECAUSE_MAX_CHARS),
  }
}
