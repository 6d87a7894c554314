import { type FingerprintRule, matches } from '@loopkit/shared/signals/fingerprint-rules'
import type { SignalType } from '@loopkit/shared/signals/signal-type'

/** A fingerprint as it was first decided. */
export interface DecidedKey {
  /** Hex. */
  fingerprint: string
  service: string
  operation: string
  signal: SignalType
  errorType: string | null
  /** Of its first failure. */
  message: string | null
  steps: readonly { step: string; value: string }[]
}

/**
 * Whether rules have let failures of this key count elsewhere since some moment of a window, or come from elsewhere: then its numbers
 * before and after a change are not of the same thing, and no verdict may be made of them. Splits can be followed, rules cannot.
 */
export function isRegrouped(key: DecidedKey, rules: readonly FingerprintRule[], sinceMs: number): boolean {
  const { service, operation, signal, errorType, message, steps } = key
  if (steps.some(({ step }) => step === 'user fingerprint')) return false
  const madeBy = steps.find(({ step }) => step === 'rule')?.value.split(' ')[0]
  const made = rules.find(({ ruleId }) => ruleId === madeBy)
  if (madeBy !== undefined && (!made || made.createdAtMs > sinceMs)) return true
  const first = rules.find(({ match }) =>
    matches(match, { view: { service, operation }, detection: { signal, errorType, message } }),
  )
  return first !== undefined && first.ruleId !== madeBy && first.createdAtMs > sinceMs
}
