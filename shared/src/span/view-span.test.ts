import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { OtlpValue } from '../otlp/model.ts'
import { contextOf } from './conventions/sent-span.fixture.ts'
import { viewSpan } from './view-span.ts'
import { WANTED_KEYS } from './wanted-keys.ts'

const hostileValue: fc.Arbitrary<OtlpValue> = fc.oneof(
  fc.constantFrom<OtlpValue>(null, true, false, Number.NaN, Number.POSITIVE_INFINITY, -1, 1e300, 2n ** 63n, -(2n ** 63n)),
  fc.string({ unit: 'binary', maxLength: 400 }),
  fc.constantFrom('\0', '\ud800', ' ', '1e9', '__proto__', '[', '["stop",5]', 'x'.repeat(100_000), '😀'.repeat(5_000)),
  fc.uint8Array({ maxLength: 8 }),
  fc.constant<OtlpValue>(['stop', 5, null, ['a'], new Map()]),
  fc.constant<OtlpValue>(new Map<string, OtlpValue>([['__proto__', 'x']])),
)

const hostileAttributes = fc.dictionary(fc.constantFrom(...WANTED_KEYS), hostileValue, { maxKeys: 40 })

test('no value of any attribute makes a view throw, and every text in a view is bounded and fit for an index', () => {
  fc.assert(
    fc.property(
      hostileAttributes,
      fc.string({ unit: 'binary', maxLength: 500 }),
      fc.integer({ min: 0, max: 9 }),
      (attributes, name, kind) => {
        const view = viewSpan(contextOf({ name, kind, attributes, resource: attributes }))
        expect(view.operation.length).toBeGreaterThan(0)
        expect(view.operation.length).toBeLessThanOrEqual(200)
        for (const text of [view.service, view.session, view.user, view.release, view.environment]) {
          expect(text?.length ?? 0).toBeLessThanOrEqual(256)
        }
        for (const text of [view.agent, view.tool, view.model, view.provider, ...view.finish_reasons]) {
          expect(text?.length ?? 0).toBeLessThanOrEqual(128)
        }
        const { derived_from: _, ...words } = view
        expect(
          Object.values(words).filter((word) => typeof word === 'string' && (!word.isWellFormed() || word.includes('\0'))),
        ).toEqual([])
        for (const count of Object.values(view.tokens))
          expect(count === null || (Number.isSafeInteger(count) && count >= 0)).toBe(true)
        expect(view.cost_usd === null || view.cost_usd >= 0).toBe(true)
      },
    ),
    { numRuns: 500 },
  )
})

test('cached and reasoning tokens are never more than what they are part of', () => {
  const count = fc.integer({ min: 0, max: 5_000 })
  fc.assert(
    fc.property(
      count,
      count,
      count,
      fc.constantFrom('anthropic', 'openai'),
      fc.boolean(),
      (input, read, created, provider, dotted) => {
        const [readKey, createdKey] = dotted
          ? ['gen_ai.usage.cache_read.input_tokens', 'gen_ai.usage.cache_creation.input_tokens']
          : ['gen_ai.usage.cache_read_input_tokens', 'gen_ai.usage.cache_creation_input_tokens']
        const { tokens } = viewSpan(
          contextOf({
            name: 'chat m',
            attributes: {
              'gen_ai.operation.name': 'chat',
              'gen_ai.provider.name': provider,
              'gen_ai.usage.input_tokens': input,
              'gen_ai.usage.output_tokens': 1,
              [readKey!]: read,
              [createdKey!]: created,
            },
          }),
        )
        expect(tokens.input).toBeGreaterThanOrEqual(tokens.cache_read! + tokens.cache_creation!)
        expect(tokens.total).toBe(tokens.input! + 1)
      },
    ),
  )
})

describe('who and what a span belongs to', () => {
  test.each([
    ['the standard before a dialect', { 'session.id': 'a', 'ai.telemetry.metadata.sessionId': 'b' }, {}, 'a'],
    ['the conversation of a model call', { 'gen_ai.conversation.id': 'c' }, {}, 'c'],
    ['a number as its digits', { 'session.id': 12 }, {}, '12'],
    ["the span's own before the resource's", { 'session.id': 'a' }, { 'session.id': 'r' }, 'a'],
    ["the resource's where the span has none", {}, { 'session.id': 'r' }, 'r'],
    ["the resource's before an MCP connection", { 'mcp.session.id': 'm' }, { 'session.id': 'r' }, 'r'],
    ['an MCP connection where nothing else is known', { 'mcp.session.id': 'm' }, {}, 'm'],
    ['no thread of the operating system', { 'thread.id': 7 }, {}, null],
    ['no empty text', { 'session.id': '  ' }, {}, null],
    ['no list', { 'session.id': ['a'] }, {}, null],
  ] as [string, Record<string, OtlpValue>, Record<string, OtlpValue>, string | null][])(
    'the session is %s',
    (_which, attributes, resource, session) => {
      expect(viewSpan(contextOf({ name: 'x', attributes, resource })).session).toBe(session)
    },
  )

  test.each([
    ['service.version', { 'service.version': '1.2.3', 'container.image.tag': 'x' }, '1.2.3'],
    ['the image tag', { 'container.image.tag': '2026-06-19' }, '2026-06-19'],
    ['nothing from a moving tag', { 'container.image.tag': 'latest' }, null],
  ])('the release is read from the resource: %s', (_which, resource, release) => {
    expect(viewSpan(contextOf({ name: 'x', resource })).release).toBe(release)
  })

  test('a span names its release where the resource does not', () => {
    const view = viewSpan(contextOf({ name: 'x', attributes: { 'langfuse.release': '7f3' } }))
    expect(view).toMatchObject({ release: '7f3', derived_from: { release: 'langfuse.release' } })
  })

  test('the current name of the environment goes before the former', () => {
    const resource = { 'deployment.environment': 'old', 'deployment.environment.name': 'production' }
    expect(viewSpan(contextOf({ name: 'x', resource })).environment).toBe('production')
  })

  test('a sender without a name is an unknown service', () => {
    expect(viewSpan(contextOf({ name: 'x', resource: { 'service.name': 5 } })).service).toBe('unknown_service')
  })
})

test('an agent named on the resource is the agent of generative work only', () => {
  const resource = { 'gen_ai.agent.name': 'Desk' }
  expect(viewSpan(contextOf({ name: 'x', attributes: { 'gen_ai.operation.name': 'chat' }, resource })).agent).toBe('Desk')
  expect(viewSpan(contextOf({ name: 'x', attributes: { 'http.request.method': 'GET' }, resource })).agent).toBeNull()
})

test('a model call that failed before its model was known is the same operation as one that went well', () => {
  const failed = { 'openinference.span.kind': 'LLM' }
  const answered = { ...failed, 'llm.model_name': 'o3-mini', 'llm.token_count.prompt': 12 }
  expect(viewSpan(contextOf({ name: 'LiteLLMModel.__call__', attributes: failed })).operation).toBe('chat')
  expect(viewSpan(contextOf({ name: 'LiteLLMModel.__call__', attributes: answered })).operation).toBe('chat')
})

test('baggage of an agent makes no tool of the request below it', () => {
  const attributes = { 'gen_ai.tool.name': 'search', 'http.request.method': 'GET', 'server.address': 'api.example' }
  expect(viewSpan(contextOf({ name: 'GET', kind: 3, attributes }))).toMatchObject({ kind: 'http', operation: 'GET api.example' })
})

test('a span without a name has an operation', () => {
  expect(viewSpan(contextOf({ name: '' })).operation).toBe('(unnamed)')
})

test.each([
  [
    ['stop', 'length'],
    ['stop', 'length'],
  ],
  ['stop', ['stop']],
  ['["stop","length"]', ['stop', 'length']],
  [[1, null, ' '], []],
  [Array.from({ length: 50 }, () => 'stop'), Array.from({ length: 8 }, () => 'stop')],
] as [OtlpValue, string[]][])('finish reasons sent as %j', (sent, reasons) => {
  const attributes = { 'gen_ai.operation.name': 'chat', 'gen_ai.response.finish_reasons': sent }
  expect(viewSpan(contextOf({ name: 'x', attributes })).finish_reasons).toEqual(reasons)
})
