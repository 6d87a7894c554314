import { expect, test } from '@jest/globals'
import type { FingerprintRule } from '@loopkit/shared/signals/fingerprint-rules'
import { type DecidedKey, isRegrouped } from './regrouped.ts'

const WINDOW_FROM = 100
const steps = (...named: string[]) => named.map((step) => ({ step: step.split(':')[0]!, value: step.split(':')[1]! }))
const key = (more: Partial<DecidedKey> = {}): DecidedKey => ({
  fingerprint: 'aa',
  service: 'shop',
  operation: 'pay',
  signal: 'exception',
  errorType: 'E',
  message: 'card declined',
  steps: [],
  ...more,
})
const rule = (createdAtMs: number, match: FingerprintRule['match'] = { service: 'shop' }): FingerprintRule => ({
  ruleId: 'rule_1',
  name: null,
  match,
  by: [],
  createdAtMs,
})

test.each([
  ['no rules', key(), [], false],
  ['a rule that was there before', key(), [rule(50)], false],
  ['a rule that takes its failures since', key(), [rule(150)], true],
  ['a rule for other failures', key(), [rule(150, { operation: 'ship' })], false],
  ['a rule for its words', key(), [rule(150, { message_contains: 'declined' })], true],
  ['a rule, but it has its own fingerprint', key({ steps: steps('user fingerprint:mine') }), [rule(150)], false],
  ['its rule since before', key({ steps: steps('rule:rule_1 name') }), [rule(50)], false],
  ['its rule since the middle', key({ steps: steps('rule:rule_1 name') }), [rule(150)], true],
  ['its rule gone', key({ steps: steps('rule:rule_9') }), [], true],
])('with %s its failures are counted elsewhere: %#', (_, decided, rules, expected) => {
  expect(isRegrouped(decided, rules, WINDOW_FROM)).toBe(expected)
})
