import { toHex } from '@loopkit/shared/otlp/ids'
import { createJudgeMemory } from '@loopkit/shared/signals/judge-memory'
import { judgeTrace } from '@loopkit/shared/signals/judge-trace'
import { DEFAULT_SOFT_THRESHOLDS } from '@loopkit/shared/signals/soft/thresholds'
import { type SpanSketch, sketchTrace } from '@loopkit/shared/signals/trace.fixture'
import { sentCost } from '@loopkit/shared/span/price-call'
import { joinSteps, type SessionStep, stepsOfTrace } from './session-step.ts'

/** The steps of a session of one trace; each sketch begins after the one before it. */
export function steps(sketches: readonly SpanSketch[]): SessionStep[] {
  const records = sketchTrace(sketches.map((sketch, at) => ({ start: at * 10 + 1, ...sketch })))
  const rules = { off: new Set<never>(), thresholds: DEFAULT_SOFT_THRESHOLDS, isOver: true, withHints: true }
  const judged = judgeTrace('p', records, createJudgeMemory('p'), rules)
  return joinSteps(stepsOfTrace({ ...judged, records }, sentCost))
}

/** The id that a test gave a step. */
export function idOf({ spanId }: SessionStep): string {
  return Buffer.from(toHex(spanId), 'hex').toString('latin1').replace(/\.+$/, '')
}

export const turn = (id: string, agent: string, more: SpanSketch = {}): SpanSketch => ({
  id,
  name: 'chat',
  ...more,
  view: { kind: 'chat', agent, operation: 'chat', ...more.view },
})

export const tool = (id: string, more: SpanSketch = {}): SpanSketch => ({
  id,
  name: 'execute_tool search',
  ...more,
  view: { kind: 'tool', tool: 'search', operation: 'execute_tool search', ...more.view },
})

export const failed = { status: 2, message: 'it broke' }
