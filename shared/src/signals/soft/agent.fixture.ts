import { toHex } from '../../otlp/ids.ts'
import type { OtlpValue } from '../../otlp/model.ts'
import { createJudgeMemory } from '../judge-memory.ts'
import { type JudgeRules, judgeTrace } from '../judge-trace.ts'
import type { Failure } from '../model.ts'
import { type SpanSketch, sketchTrace } from '../trace.fixture.ts'
import { DEFAULT_SOFT_THRESHOLDS } from './thresholds.ts'

/** Steps of an agent in the words of a test. Each begins after the one before it. */
export const agent = (id: string, more: SpanSketch = {}): SpanSketch => ({
  id,
  name: 'invoke_agent helper',
  ...more,
  view: { kind: 'agent', agent: 'helper', ...more.view },
})

export const chat = (id: string, attributes: Record<string, OtlpValue> = {}, more: SpanSketch = {}): SpanSketch => ({
  id,
  parent: 'agent',
  name: 'chat',
  attributes,
  ...more,
  view: { kind: 'chat', ...more.view },
})

export const tool = (
  id: string,
  name: string,
  attributes: Record<string, OtlpValue> = {},
  more: SpanSketch = {},
): SpanSketch => ({
  id,
  parent: 'agent',
  name: `execute_tool ${name}`,
  attributes,
  ...more,
  view: { kind: 'tool', tool: name, ...more.view },
})

/** An answer as OpenTelemetry's messages say it. */
export const answer = (text: string | null, ...calls: { id?: string; name: string; arguments?: unknown }[]) => ({
  'gen_ai.output.messages': JSON.stringify([
    {
      role: 'assistant',
      parts: [
        ...(text === null ? [] : [{ type: 'text', content: text }]),
        ...calls.map(({ id, name, arguments: given }) => ({ type: 'tool_call', id, name, arguments: given })),
      ],
    },
  ]),
})

export function judge(sketches: SpanSketch[], rules: Partial<JudgeRules> = {}) {
  const inOrder = sketches.map((sketch, at) => ({ start: at * 10 + 1, ...sketch }))
  return judgeTrace('p', sketchTrace(inOrder), createJudgeMemory('p'), {
    off: new Set(),
    thresholds: DEFAULT_SOFT_THRESHOLDS,
    isOver: false,
    ...rules,
  })
}

/** Signal and readable id of each failure. */
export const found = (failures: readonly Failure[]): string[] =>
  failures.map(({ detection, span }) => `${detection.signal} ${idText(toHex(span.spanId))}`)

export const idText = (hex: string): string => Buffer.from(hex, 'hex').toString('latin1').replace(/\.+$/, '')
