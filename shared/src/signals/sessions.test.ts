import { describe, expect, test } from '@jest/globals'
import { judgeTrace } from './judge-trace.ts'
import { ERROR, type SpanSketch, sketchTrace } from './trace.fixture.ts'

const hexOf = (name: string) => Buffer.from(name.padEnd(8, '.'), 'latin1').toString('hex')

describe('sessions', () => {
  const sessionOf = (sketches: SpanSketch[], name: string) => judgeTrace('p', sketchTrace(sketches)).sessionOf.get(hexOf(name))
  const traceId = Buffer.from('trace'.padEnd(16, '.'), 'latin1').toString('hex')

  test.each<[string, SpanSketch[], string]>([
    [
      'its own',
      [
        { id: 'up', view: { session: 's1' } },
        { id: 'me', parent: 'up', view: { session: 's2' } },
      ],
      's2',
    ],
    [
      "else its nearest ancestor's",
      [
        { id: 'up', view: { session: 's1' } },
        { id: 'mid', parent: 'up' },
        { id: 'me', parent: 'mid' },
        { id: 'x', view: { session: 's2' } },
      ],
      's1',
    ],
    ["else the trace's only one", [{ id: 'me' }, { id: 'down', parent: 'me', view: { session: 's1' } }], 's1'],
    ['else the trace id', [{ id: 'me' }, { id: 'a', view: { session: 's1' } }, { id: 'b', view: { session: 's2' } }], traceId],
  ])('a span belongs to %s', (_rule, sketches, session) => {
    expect(sessionOf(sketches, 'me')).toBe(session)
  })

  const tokens = (input: number, output: number) => ({
    input,
    output,
    total: null,
    cache_read: null,
    cache_creation: null,
    reasoning: null,
  })

  test('totals count each model call, tool call and token once', () => {
    const { sessions } = judgeTrace(
      'p',
      sketchTrace([
        {
          id: 'run',
          start: 10,
          end: 90,
          view: { kind: 'agent', agent: 'support', session: 's1', user: 'ann', tokens: tokens(99, 99) },
        },
        { id: 'call', parent: 'run', start: 11, view: { kind: 'chat', tokens: tokens(30, 3) } },
        { id: 'http', parent: 'call', start: 12, view: { kind: 'chat', tokens: tokens(10, 1), cost_usd: 0.5 } },
        { id: 'call2', parent: 'run', start: 13, view: { kind: 'chat', tokens: tokens(20, 2) } },
        { id: 'tool', parent: 'run', start: 14, view: { kind: 'tool', tool: 'search' } },
        { id: 'mcp', parent: 'tool', start: 15, status: ERROR, message: 'page is gone', view: { kind: 'tool', tool: 'search' } },
        { id: 'sub', parent: 'tool', start: 16, view: { kind: 'agent', agent: 'helper' } },
        { id: 'call3', parent: 'sub', start: 17, view: { kind: 'chat' } },
      ]),
    )
    expect(sessions).toEqual([
      {
        sessionId: 's1',
        explicit: true,
        agent: 'support',
        user: 'ann',
        spans: 8,
        turns: 3,
        toolCalls: 1,
        inputTokens: 30,
        outputTokens: 3,
        costUsd: 0.5,
        failures: 1,
        startUnixNano: 10n,
        endUnixNano: 90n,
      },
    ])
  })

  test('a trace that names no session stands for itself', () => {
    const { sessions } = judgeTrace('p', sketchTrace([{ id: 'a' }]))
    expect(sessions).toMatchObject([{ sessionId: traceId, explicit: false, costUsd: null, spans: 1 }])
  })

  test('no spans, no sessions', () => {
    expect(judgeTrace('p', [])).toEqual({ failures: [], hints: [], sessions: [], runEntries: [], sessionOf: new Map() })
  })
})
