import type { HardRule } from './rule.ts'

/** A tool that failed, also where it only says so in its result (MCP `isError`). */
export const toolFailure: HardRule = {
  signal: 'tool_failure',
  applies: ({ view }) => (view.kind === 'tool' ? 'a failing span of kind tool' : null),
}
