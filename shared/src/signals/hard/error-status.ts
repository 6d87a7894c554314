import type { HardRule } from './rule.ts'

/** It failed, and nothing says how: the rule that is left. */
export const errorStatus: HardRule = { signal: 'error_status', applies: () => 'nothing says more' }
