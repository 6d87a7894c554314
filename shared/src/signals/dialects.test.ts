import { describe, expect, test } from '@jest/globals'
import { createAttributeFilter, decodeTraces } from '../otlp/decode-traces.ts'
import { encodeTraces } from '../otlp/encode-traces.ts'
import { toHex } from '../otlp/ids.ts'
import type { SpanInContext } from '../otlp/model.ts'
import { viewSpan } from '../span/view-span.ts'
import { WANTED_KEYS, WANTED_PREFIXES } from '../span/wanted-keys.ts'
import { DETECTION_KEYS, detect } from './detect.ts'
import { DIALECTS, type Dialect, MODEL, type Run, type Told, type Turn } from './dialects.fixture.ts'
import { MORE_DIALECTS } from './dialects-more.fixture.ts'
import { createJudgeFilter } from './judge-filter.ts'
import { createJudgeMemory } from './judge-memory.ts'
import { judgeTrace } from './judge-trace.ts'
import type { TraceSpan } from './model.ts'
import { DEFAULT_SOFT_THRESHOLDS } from './soft/thresholds.ts'
import { sketchSpan } from './trace.fixture.ts'

const ALL = [...DIALECTS, ...MORE_DIALECTS]

interface Step {
  turn?: Turn
  run?: Run
  isOpen?: boolean
}

const find = (n: number, more: Partial<Run> = {}): Run => ({ id: `call_${n}`, name: 'find_order', args: { order: 7 }, ...more })
const asks = (...runs: Run[]): Step => ({ turn: { calls: runs } })
const says = (text: string, end?: Turn['end']): Step => ({ turn: { text, ...(end && { end }) } })
const fails = (type: string, message: string): Step => ({ turn: { error: { type, message } } })

/** What happened, and what must be found at which step (-1: the agent). */
const SCENES: [signal: string, at: number, steps: Step[]][] = [
  [
    'tool_failure',
    1,
    [asks(find(1)), { run: find(1, { error: { type: 'KeyError', message: "no column 'total'" } }) }, says('It broke.')],
  ],
  ['tool_failure', 1, [asks(find(1)), { run: find(1, { said: 'the order file is damaged' }) }, says('Cannot say.')]],
  [
    'invalid_tool_arguments',
    1,
    [
      asks(find(1)),
      { run: find(1, { error: { type: 'TypeError', message: "find() got an unexpected keyword argument 'order'" } }) },
      says('Hm.'),
    ],
  ],
  ['llm_error', 0, [fails('BadRequestError', 'messages must alternate between roles')]],
  ['rate_limited', 0, [fails('RateLimitError', 'Rate limit reached for requests')]],
  ['auth_failure', 0, [fails('AuthenticationError', 'Incorrect API key provided')]],
  ['timeout', 0, [fails('APITimeoutError', 'Request timed out.')]],
  ['truncated_output', 0, [says('The report begins with the year in which', 'length')]],
  ['refusal', 0, [says('', 'filter')]],
  ['empty_output', 0, [says('')]],
  [
    'orphan_tool_call',
    2,
    [
      asks(find(1)),
      { run: find(1, { result: 'shipped' }) },
      asks(find(2), find(3, { args: { order: 8 } })),
      { run: find(2, { result: 'lost' }) },
      says('One is lost.'),
    ],
  ],
  [
    'repeated_step',
    5,
    [1, 2, 3].flatMap((n) => [asks(find(n)), { run: find(n, { result: 'pending' }) }]).concat([says('Still pending.')]),
  ],
  ['retry_storm', -1, [1, 2, 3, 4, 5].map(() => fails('RateLimitError', 'Rate limit reached for requests'))],
  ['incomplete', 1, [asks(find(1)), { run: find(1), isOpen: true }]],
]

const HEALTHY: Step[] = [asks(find(1)), { run: find(1, { result: 'Order 7: shipped' }) }, says('It has shipped.')]

describe.each(ALL.map((dialect) => [dialect.name, dialect] as const))('%s', (_name, dialect) => {
  const scenes = SCENES.filter(([signal]) => !dialect.silent?.includes(signal))

  test.each(scenes)('%s is found at its step', (signal, at, steps) => {
    const { failures } = judge(told(dialect, steps))
    const found = failures.map(({ detection, span }) => `${detection.signal} ${idOf(span.spanId)}`)
    expect(found).toContain(`${signal} ${at < 0 ? 'agent' : `s${at}`}`)
    if (signal !== 'retry_storm') expect(found).toHaveLength(1)
  })

  test('a run that went well shows nothing, and its session, tool, model and tokens are read', () => {
    const { failures, sessions } = judge(told(dialect, HEALTHY))
    const views = told(dialect, HEALTHY).map((ctx) => viewSpan(ctx))
    expect(failures).toEqual([])
    expect(sessions.map(({ sessionId, turns, toolCalls }) => [sessionId, turns, toolCalls])).toEqual([['conv-1', 2, 1]])
    expect(views.map(({ tool }) => tool)).toContain('find_order')
    if (dialect.name === 'Haystack') return
    expect(views.map(({ model }) => model)).toContain(MODEL)
    expect(sessions.map(({ inputTokens, outputTokens }) => [inputTokens, outputTokens])).toEqual([[200, 40]])
  })

  test('the door, which decodes less, detects the same', () => {
    for (const [, , steps] of scenes) {
      const body = encodeTraces(told(dialect, steps))
      const door = createAttributeFilter([...WANTED_KEYS, ...DETECTION_KEYS], WANTED_PREFIXES)
      const signals = (filter: typeof door) =>
        [...decodeTraces(body, filter)].map((ctx) => detect(ctx.span, viewSpan(ctx), new Set())?.signal)
      expect(signals(door)).toEqual(signals(createJudgeFilter()))
    }
  })
})

const idOf = (id: Uint8Array) => Buffer.from(id).toString('latin1').replace(/\.+$/, '')

function told(dialect: Dialect, steps: readonly Step[]): SpanInContext[] {
  const parts = steps.map((step, n): [string, Told, boolean] => [
    `s${n}`,
    step.run ? dialect.tool(step.run) : dialect.chat(step.turn!),
    step.isOpen === true,
  ])
  return [['agent', dialect.agent(), false] as [string, Told, boolean], ...parts].map(([id, span, isOpen], n) =>
    inContext({ id, span, isOpen, n }),
  )
}

function inContext({ id, span, isOpen, n }: { id: string; span: Told; isOpen: boolean; n: number }): SpanInContext {
  const sketch = sketchSpan({
    id,
    ...(id !== 'agent' && { parent: 'agent' }),
    name: span.name,
    ...(span.kind !== undefined && { kind: span.kind }),
    ...(span.status !== undefined && { status: span.status }),
    ...(span.message !== undefined && { message: span.message }),
    attributes: span.attributes ?? {},
    start: 1 + n * 10,
    end: id === 'agent' ? 10_000 : isOpen ? 0 : 5 + n * 10,
  })
  const envelope = { attributes: new Map(), droppedAttributesCount: 0, schemaUrl: '' }
  const events = (span.events ?? []).map(({ name, attributes }) => ({
    timeUnixNano: 2n,
    name,
    attributes: new Map(Object.entries(attributes)),
    droppedAttributesCount: 0,
  }))
  return { resource: envelope, scope: { ...envelope, name: '', version: '' }, span: { ...sketch, events } }
}

/** As the collector does: from bytes, decoding what the judge reads. */
function judge(sent: SpanInContext[]) {
  const spans = [...decodeTraces(encodeTraces(sent), createJudgeFilter())].map((ctx): TraceSpan => {
    const view = viewSpan(ctx)
    return { span: ctx.span, view, detection: detect(ctx.span, view, new Set()) }
  })
  expect(new Set(spans.map(({ span }) => toHex(span.traceId))).size).toBe(1)
  return judgeTrace('p', spans, createJudgeMemory('p'), { off: new Set(), thresholds: DEFAULT_SOFT_THRESHOLDS, isOver: true })
}
