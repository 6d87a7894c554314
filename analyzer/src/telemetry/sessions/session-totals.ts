import type { SessionPart } from '@loopkit/shared/signals/model'
import { msToIso, nanoToMs } from '@loopkit/shared/span/nanoseconds'
import type { StoredPart } from './session-rows.ts'

export type PartTotals = Omit<StoredPart, 'traceId' | 'decided'>

export function toTotals({
  startUnixNano,
  endUnixNano,
  sessionId: _id,
  explicit: _explicit,
  ...totals
}: SessionPart): PartTotals {
  return { ...totals, startMs: nanoToMs(startUnixNano), endMs: nanoToMs(endUnixNano) }
}

/** What a session comes to, as the list and its scorecard show it. */
export type SessionTotals = {
  agent: string | null
  user: string | null
  outcome: 'ok' | 'failed'
  turns: number
  tool_calls: number
  spans: number
  failures: number
  tokens: { input: number; output: number; total: number }
  /** What is known of it; null where no call's cost is. */
  cost_usd: number | null
  started_at: string | null
  ended_at: string | null
  duration_ms: number | null
}

/** Sums of money are sums of fractions: nobody needs more of their digits. */
const COST_DIGITS = 1e9

/** The sum of a session's parts, one a trace. */
export function sumParts(parts: readonly PartTotals[]): SessionTotals {
  const sum = (field: 'turns' | 'toolCalls' | 'spans' | 'failures' | 'inputTokens' | 'outputTokens') =>
    parts.reduce((total, part) => total + part[field], 0)
  const starts = parts.map(({ startMs }) => startMs).filter((ms) => ms > 0)
  const ends = parts.map(({ endMs }) => endMs).filter((ms) => ms > 0)
  const [startMs, endMs] = [starts.length > 0 ? Math.min(...starts) : null, ends.length > 0 ? Math.max(...ends) : null]
  const costs = parts.map(({ costUsd }) => costUsd).filter((cost) => cost !== null)
  const [input, output] = [sum('inputTokens'), sum('outputTokens')]
  return {
    agent: parts.find(({ agent }) => agent !== null)?.agent ?? null,
    user: parts.find(({ user }) => user !== null)?.user ?? null,
    outcome: sum('failures') > 0 ? 'failed' : 'ok',
    turns: sum('turns'),
    tool_calls: sum('toolCalls'),
    spans: sum('spans'),
    failures: sum('failures'),
    tokens: { input, output, total: input + output },
    cost_usd: costs.length > 0 ? roundCost(costs.reduce((total, cost) => total + cost, 0)) : null,
    started_at: startMs === null ? null : msToIso(startMs),
    ended_at: endMs === null ? null : msToIso(endMs),
    duration_ms: startMs === null || endMs === null ? null : Math.max(0, endMs - startMs),
  }
}

export function roundCost(usd: number): number {
  return Math.round(usd * COST_DIGITS) / COST_DIGITS
}
