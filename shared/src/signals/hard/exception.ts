import type { HardRule } from './rule.ts'

/** An exception of the span's own code. */
export const exception: HardRule = {
  signal: 'exception',
  applies: ({ hasException }) => (hasException ? 'an exception is recorded' : null),
}
