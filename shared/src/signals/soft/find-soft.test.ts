import { describe, expect, test } from '@jest/globals'
import { isLinear } from '../cost.fixture.ts'
import type { SignalType } from '../signal-type.ts'
import { ERROR, type SpanSketch } from '../trace.fixture.ts'
import { agent, answer, chat, found, judge, tool } from './agent.fixture.ts'
import { DEFAULT_SOFT_THRESHOLDS, type SoftThresholds } from './thresholds.ts'

type Row = [what: string, spans: SpanSketch[], expected: string[]]

const ended = (reason: string, more: SpanSketch['view'] = {}) => ({ view: { finish_reasons: [reason], ...more } })
const asked = (given: string, result = 'none') => ({ 'gen_ai.tool.call.arguments': given, 'gen_ai.tool.call.result': result })
const tokens = (output: number) => ({ input: 9, output, total: null, cache_read: null, cache_creation: null, reasoning: null })

describe('empty_output', () => {
  const empty = { 'gen_ai.output.messages': '[{"role":"assistant","parts":[],"finish_reason":"stop"}]' }
  test.each<Row>([
    ['an answer without a part', [chat('c', empty, ended('stop'))], ['empty_output c']],
    ['an answer of blanks', [chat('c', answer(' \n '))], ['empty_output c']],
    ['no message at all', [chat('c', { 'gen_ai.output.messages': '[]' })], ['empty_output c']],
    [
      'messages as OTLP values',
      [chat('c', { 'gen_ai.output.messages': [new Map([['role', 'assistant']])] })],
      ['empty_output c'],
    ],
    ['OpenInference without words', [chat('c', { 'llm.output_messages.0.message.role': 'assistant' })], ['empty_output c']],
    ['OpenLLMetry without words', [chat('c', { 'gen_ai.completion.0.content': '' })], ['empty_output c']],
    ['Vercel without words', [chat('c', { 'ai.response.text': '' })], ['empty_output c']],
    ['no token, where words are not recorded', [chat('c', {}, ended('stop', { tokens: tokens(0) }))], ['empty_output c']],
    ['an agent of which no model call is seen', [agent('a', { attributes: empty })], ['empty_output a']],
    ['an agent whose model call answered', [agent('agent', { attributes: empty }), chat('c', answer('4.'))], []],
    ['an answer whose words were not recorded', [chat('c', {}, ended('stop'))], []],
    ['no token because a tool is called', [chat('c', {}, ended('tool_calls', { tokens: tokens(0) }))], []],
    ['a part without its words', [chat('c', { 'gen_ai.output.messages': '[{"parts":[{"type":"text"}]}]' })], []],
    ['words', [chat('c', answer('No.'))], []],
    ['a tool call', [chat('c', answer(null, { id: '1', name: 'f' }), ended('tool_calls'))], []],
    ['a finish reason that says that a tool is called', [chat('c', empty, ended('tool_calls'))], []],
    ['an image', [chat('c', { 'gen_ai.output.messages': '[{"parts":[{"type":"blob","content":"AA=="}]}]' })], []],
    [
      'OpenInference whose raw answer holds words',
      [chat('c', { 'llm.output_messages.0.message.role': 'assistant', 'output.value': 'yes' })],
      [],
    ],
    [
      'OpenInference with a tool call',
      [chat('c', { 'llm.output_messages.0.message.tool_calls.0.tool_call.function.name': 'f' })],
      [],
    ],
    ['a call that failed', [chat('c', empty, { status: ERROR })], ['llm_error c']],
    ['a tool that returns nothing', [tool('t', 'save', { 'gen_ai.tool.call.result': '' })], []],
    ['two spans of one call: the inner one', [chat('o', empty), chat('i', empty, { parent: 'o' })], ['empty_output i']],
  ])('%s', (_what, spans, expected) => expect(found(judge(spans).failures)).toEqual(expected))
})

describe('truncated_output', () => {
  test.each<Row>([
    ['OpenAI', [chat('c', {}, ended('length'))], ['truncated_output c']],
    ['Anthropic', [chat('c', {}, ended('max_tokens'))], ['truncated_output c']],
    ['Gemini', [chat('c', {}, ended('MAX_TOKENS'))], ['truncated_output c']],
    ['an empty answer whose tokens went into thought', [chat('c', answer(null), ended('length'))], ['truncated_output c']],
    ['a yes or no with a limit of a few tokens', [chat('c', {}, ended('length', { tokens: tokens(1) }))], []],
    ['a long one', [chat('c', {}, ended('length', { tokens: tokens(4096) }))], ['truncated_output c']],
    ['one that ended by itself', [chat('c', {}, ended('stop'))], []],
  ])('%s', (_what, spans, expected) => expect(found(judge(spans).failures)).toEqual(expected))
})

describe('refusal', () => {
  test.each<Row>([
    ['Azure', [chat('c', {}, ended('content_filter'))], ['refusal c']],
    ['Gemini', [chat('c', {}, ended('SAFETY'))], ['refusal c']],
    ['Anthropic', [chat('c', {}, ended('refusal'))], ['refusal c']],
    ['Bedrock', [chat('c', {}, ended('guardrail_intervened'))], ['refusal c']],
    ["OpenAI's own field", [chat('c', { 'gen_ai.completion.0.refusal': 'No.' })], ['refusal c']],
    ['words', [chat('c', answer("I'm sorry, but I can't assist with that."))], ['refusal c']],
    ['other words', [chat('c', answer('I cannot help with this request.'))], ['refusal c']],
    ['a shop that says what it cannot do', [chat('c', answer("I'm sorry, I can't refund orders older than 30 days."))], []],
    ['an offer', [chat('c', answer('I can help with that.'))], []],
    ['a long answer that begins so', [chat('c', answer(`I can't help with that, but ${'here is more. '.repeat(40)}`))], []],
  ])('%s', (_what, spans, expected) => expect(found(judge(spans).failures)).toEqual(expected))
})

describe('repeated_step', () => {
  const run = (n: number, given: (i: number) => Record<string, string>) => [
    agent('agent'),
    ...Array.from({ length: n }, (_, i) => tool(`t${i}`, 'search', given(i))),
  ]
  test.each<Row>([
    ['three times: the last is marked', run(3, () => asked('{"q":1}')), ['repeated_step t2']],
    ['five times: one failure', run(5, () => asked('{"q":1}')), ['repeated_step t4']],
    ['in another spelling', run(3, (i) => asked(i === 1 ? '{ "b":2,"a":1 }' : '{"a":1,"b":2}')), ['repeated_step t2']],
    ['without results', run(3, () => ({ 'input.value': '{"q":1}' })), ['repeated_step t2']],
    ['twice', run(2, () => asked('{"q":1}')), []],
    ['other arguments', run(4, (i) => asked(`{"q":${i}}`)), []],
    ['polling, whose results change', run(4, (i) => asked('{"job":1}', `${i * 25} %`)), []],
    ['arguments that were not recorded', run(4, () => ({})), []],
    [
      'by two agents',
      [
        agent('agent'),
        agent('b'),
        ...['agent', 'agent', 'b', 'b'].map((parent, i) => tool(`t${i}`, 's', asked('{}'), { parent })),
      ],
      [],
    ],
  ])('%s', (_what, spans, expected) => expect(found(judge(spans).failures)).toEqual(expected))

  test('of a tool that fails, every failure is one and the repetition none', () => {
    const spans = [agent('agent'), ...[1, 2, 3].map((i) => tool(`t${i}`, 'f', asked('{}'), { status: ERROR, message: 'no' }))]
    expect(found(judge(spans).failures)).toEqual(['tool_failure t1', 'tool_failure t2', 'tool_failure t3'])
  })
})

describe('invalid_tool_arguments', () => {
  const tools = {
    'gen_ai.tool.definitions': JSON.stringify([
      {
        type: 'function',
        name: 'find',
        parameters: { type: 'object', properties: { q: { type: 'string' }, n: { type: 'integer' } }, required: ['q'] },
      },
      { type: 'function', name: 'open', parameters: { type: 'object', properties: {}, additionalProperties: true } },
    ]),
  }
  const call = (name: string, given: unknown) => chat('c', { ...tools, ...answer(null, { id: '1', name, arguments: given }) })
  test.each<Row>([
    ['no JSON', [call('find', '{"q": ')], ['invalid_tool_arguments c']],
    ['a required one is missing', [call('find', { n: 1 })], ['invalid_tool_arguments c']],
    ['one that the tool does not have', [call('find', { q: 'a', page: 2 })], ['invalid_tool_arguments c']],
    ['an empty name', [call('other', { '': '' })], ['invalid_tool_arguments c']],
    ['that fit', [call('find', '{"q":"a","n":1}')], []],
    ['an open schema', [call('open', { any: 1 })], []],
    ['a tool that is not described', [call('other', { any: 1 })], []],
    ['none, as empty text', [call('other', '')], []],
    ["Python's spelling", [call('find', "{'q': 'a'}")], []],
    ['that the tool took all the same', [call('find', { q: 'a', page: 2 }), tool('t', 'find')], []],
    ['no JSON, and the tool ran', [tool('t', 'find', { 'gen_ai.tool.call.arguments': '{"q": }' })], ['invalid_tool_arguments t']],
    ['long ones that were cut', [tool('t', 'find', { 'gen_ai.tool.call.arguments': `{"q": "${'a'.repeat(200)}` })], []],
    [
      'of which the tool failed: blamed there',
      [
        call('find', { n: 1 }),
        tool('t', 'find', {}, { status: ERROR, message: "TypeError: find() missing 1 required positional argument: 'q'" }),
      ],
      ['invalid_tool_arguments t'],
    ],
  ])('%s', (_what, spans, expected) => expect(found(judge([agent('agent'), ...spans]).failures)).toEqual(expected))
})

describe('orphan_tool_call', () => {
  const calls = (id: string, ...ids: string[]) =>
    chat(id, answer(null, ...ids.map((one) => ({ id: one, name: one.slice(0, 1) }))))
  const told = (id: string, asked: string[], results: string[]) => {
    const input = [
      { role: 'assistant', parts: asked.map((one) => ({ type: 'tool_call', id: one, name: one.slice(0, 1) })) },
      { role: 'tool', parts: results.map((one) => ({ type: 'tool_call_response', id: one, response: 'ok' })) },
    ]
    return chat(id, { ...answer('done'), 'gen_ai.input.messages': JSON.stringify(input) })
  }
  const asking = (id: string, roles: string[]) =>
    chat(id, {
      'gen_ai.input.messages': JSON.stringify(roles.map((role) => ({ role, parts: [{ type: 'text', content: 'x' }] }))),
    })
  const ran = (id: string, name: string, call?: string) => tool(id, name, call ? { 'gen_ai.tool.call.id': call } : {})
  test.each<Row>([
    ['one of two calls of a turn never ran', [calls('c', 'a1', 'b1'), ran('t', 'a'), chat('d')], ['orphan_tool_call c']],
    ['the tool ran another time', [calls('c', 'a1'), ran('t', 'a'), calls('d', 'a2'), chat('e')], ['orphan_tool_call d']],
    ['told apart by id', [calls('c', 'a1', 'a2'), ran('t', 'a', 'a2'), chat('d')], ['orphan_tool_call c']],
    ['the next turn was told no result', [calls('c', 'a1'), told('d', ['a1'], [])], ['orphan_tool_call c']],
    ['all ran', [calls('c', 'a1', 'b1'), ran('s', 'b'), ran('t', 'a')], []],
    ['a program without spans of its tools', [calls('c', 'a1'), chat('d', answer('done'))], []],
    ['without spans of its tools, and told the result', [calls('c', 'a1'), told('d', ['a1'], ['a1'])], []],
    ['the last call of a run gives the answer', [calls('c', 'a1'), ran('t', 'a'), calls('d', 'z1')], []],
    ['an agent as a tool', [calls('c', 'a1'), agent('sub', { parent: 'agent' }), chat('d')], []],
    [
      'its tool has no span, and its result is there',
      [calls('c', 'a1', 'b1'), ran('t', 'a'), told('d', ['a1', 'b1'], ['a1', 'b1'])],
      [],
    ],
    ['an input of messages without any result', [calls('c', 'a1'), asking('d', ['user', 'assistant'])], ['orphan_tool_call c']],
    ['an input with a result that names no id', [calls('c', 'a1'), asking('d', ['user', 'tool'])], []],
    ['another conversation: the call was the answer', [calls('c', 'a1'), asking('d', ['system', 'user'])], []],
    ['an input in words', [calls('c', 'a1'), chat('d', { 'gen_ai.input.messages': 'user: hi' })], []],
    ['an input that holds results only', [calls('c', 'a1'), told('d', [], ['a1'])], []],
  ])('%s', (_what, spans, expected) => expect(found(judge([agent('agent'), ...spans]).failures)).toEqual(expected))
})

describe('errors in the result of a tool that went well', () => {
  const says = (text: string) => [tool('t', 'visit', { 'gen_ai.tool.call.result': text })]
  test.each<Row>([
    ['403 of a page', says('Address: https://a.example\nTitle: Error 403\nForbidden'), ['auth_failure t']],
    ['requests of Python', says('401 Client Error: Unauthorized for url: https://a.example'), ['auth_failure t']],
    ['time ran out', says('Request timed out after 30 seconds'), ['timeout t']],
    ['an error at the head', says('Error: no such file'), ['tool_failure t']],
    ['an exception at the head', says('ValueError: bad date'), ['tool_failure t']],
    ['the words in what was found', says('A guide to error handling: what 403 means'), []],
    ['a number that is no code', says('There are 403 rooms'), []],
    ['good news', says('search_faq: done, no error, no timeout'), []],
    ['a long page about refusals', says(`${'Lorem ipsum dolor. '.repeat(400)} 403 Forbidden`), []],
  ])('%s', (_what, spans, expected) => expect(found(judge(spans).failures)).toEqual(expected))
})

describe('negative_feedback', () => {
  test.each<Row>([
    ['thumbs down', [chat('c', { 'user.feedback': 'thumbs_down' })], ['negative_feedback c']],
    [
      'a failed evaluation',
      [chat('c', { 'gen_ai.evaluation.name': 'relevance', 'gen_ai.evaluation.score.label': 'fail' })],
      ['negative_feedback c'],
    ],
    [
      'a low score',
      [chat('c', { 'gen_ai.evaluation.name': 'relevance', 'gen_ai.evaluation.score.value': 0.1 })],
      ['negative_feedback c'],
    ],
    ['a score below zero', [{ id: 's', attributes: { 'feedback.score': -1 } }], ['negative_feedback s']],
    [
      'an event of an evaluation',
      [chat('c', {}, { event: ['gen_ai.evaluation.result', { 'gen_ai.evaluation.score.label': 'fail' }] })],
      ['negative_feedback c'],
    ],
    ['an event of a user', [chat('c', {}, { event: ['feedback', { value: -1 }] })], ['negative_feedback c']],
    ['words in other attributes', [chat('c', { value: 'bad', label: 'fail' })], []],
    ['a high score', [chat('c', { 'gen_ai.evaluation.name': 'relevance', 'gen_ai.evaluation.score.value': 0.9 })], []],
    ['little toxicity', [chat('c', { 'gen_ai.evaluation.name': 'toxicity', 'gen_ai.evaluation.score.value': 0.01 })], []],
    [
      'a low score that passed',
      [chat('c', { 'gen_ai.evaluation.score.value': 0.1, 'gen_ai.evaluation.score.label': 'pass' })],
      [],
    ],
    ['thumbs up', [chat('c', { 'user.feedback': 'thumbs_up' })], []],
    ['three stars of five', [chat('c', { 'feedback.rating': 3 })], []],
  ])('%s', (_what, spans, expected) => expect(found(judge(spans).failures)).toEqual(expected))
})

describe('retry_storm', () => {
  const tries = (n: number, more: (i: number) => SpanSketch = () => ({})) => [
    { id: 'p' },
    ...Array.from(
      { length: n },
      (_, i): SpanSketch => ({ id: `t${i}`, parent: 'p', name: 'GET /tax', status: ERROR, ...more(i) }),
    ),
  ]
  const storms = (spans: SpanSketch[]) => found(judge(spans).failures).filter((one) => one.startsWith('retry'))
  test.each<Row>([
    ['five failed tries under one parent', tries(5), ['retry_storm p']],
    ['twenty: one storm', tries(20), ['retry_storm p']],
    ['a success at last', [...tries(5), { id: 'ok', parent: 'p', name: 'GET /tax' }], ['retry_storm p']],
    ['four', tries(4), []],
    ['successes in between', tries(9, (i) => ({ status: i === 4 ? 0 : ERROR })), []],
    ['other work each time', tries(6, (i) => ({ name: `Step ${i}` })), []],
  ])('%s', (_what, spans, expected) => expect(storms(spans)).toEqual(expected))

  test('stands beside the error that passed through its parent', () => {
    const spans = tries(6, () => ({ message: 'tax office closed' }))
    const { failures } = judge([{ id: 'p', status: ERROR, message: 'tax office closed' }, ...spans.slice(1)])
    expect(found(failures).filter((one) => one.endsWith(' p'))).toEqual(['retry_storm p'])
  })
})

describe('incomplete', () => {
  const open = (id: string, parent?: string, more: SpanSketch = {}): SpanSketch => ({
    id,
    ...(parent && { parent }),
    end: 0,
    ...more,
  })
  test.each<Row>([
    ['a span that never ended', [open('a')], ['incomplete a']],
    ['the deepest of those that wait for it', [open('a'), open('b', 'a'), open('c', 'b')], ['incomplete c']],
    ['through one that ended', [open('a'), { id: 'b', parent: 'a' }, open('c', 'b')], ['incomplete c']],
    ['two that wait for nothing', [open('a'), open('b', 'a'), open('c', 'a')], ['incomplete b', 'incomplete c']],
    ['one that failed', [open('a', undefined, { status: ERROR })], ['error_status a']],
    ['all ended', [{ id: 'a' }], []],
  ])('%s', (_what, spans, expected) => expect(found(judge(spans, { isOver: true }).failures)).toEqual(expected))

  test('is not judged while the rest may still come', () => {
    expect(found(judge([open('a')]).failures)).toEqual([])
  })
})

test('a span has one signal at most: what is said outright', () => {
  expect(found(judge([chat('c', answer(null), ended('content_filter'))]).failures)).toEqual(['refusal c'])
})

test('what is soft in a failing span, or above one, is no second pain', () => {
  const empty = answer(null)
  expect(found(judge([chat('c', empty, { status: ERROR }), chat('d', empty)]).failures)).toEqual([
    'llm_error c',
    'empty_output d',
  ])
  expect(found(judge([chat('c', empty), { id: 'h', parent: 'c', status: ERROR }]).failures)).toEqual(['error_status h'])
})

test.each<[SignalType, keyof SoftThresholds, number, SpanSketch[]]>([
  ['repeated_step', 'repeatedStepMin', 4, [1, 2, 3].map((i) => tool(`t${i}`, 'f', asked('{}')))],
  [
    'retry_storm',
    'retryStormMin',
    6,
    [{ id: 'p' }, ...[1, 2, 3, 4, 5].map((i) => ({ id: `t${i}`, parent: 'p', status: ERROR }))],
  ],
  ['refusal', 'refusalMaxChars', 10, [chat('c', answer("I can't help with that."))]],
  ['truncated_output', 'truncatedOutputMinTokens', 5_000, [chat('c', {}, ended('length', { tokens: tokens(4096) }))]],
  ['negative_feedback', 'negativeFeedbackMaxScore', 0.05, [chat('c', { 'feedback.score': 0.1 })]],
  ['invalid_tool_arguments', 'invalidToolArgumentsMin', 2, [chat('c', answer(null, { name: 'f', arguments: '{' }))]],
  ['orphan_tool_call', 'orphanToolCallMin', 2, [chat('c', answer(null, { name: 'a' }, { name: 'b' })), tool('t', 'a')]],
])('%s can be switched off and has a threshold', (signal, threshold, value, spans) => {
  const withSignal = (rules: Parameters<typeof judge>[1]) =>
    found(judge(spans, rules).failures).filter((one) => one.startsWith(signal))
  expect(withSignal({})).toHaveLength(1)
  expect(withSignal({ off: new Set([signal]) })).toEqual([])
  expect(withSignal({ thresholds: { ...DEFAULT_SOFT_THRESHOLDS, [threshold]: value } })).toEqual([])
})

test('the empty answer has a threshold, too', () => {
  const spans = [chat('c', answer('ok'))]
  const thresholds = { ...DEFAULT_SOFT_THRESHOLDS, emptyOutputMaxChars: 2 }
  expect(found(judge(spans).failures)).toEqual([])
  expect(found(judge(spans, { thresholds }).failures)).toEqual(['empty_output c'])
})

test('the order of arrival changes nothing', () => {
  const spans = [agent('agent'), chat('c', answer(null)), ...[1, 2, 3].map((i) => tool(`t${i}`, 'f', asked('{}')))]
  const placed = spans.map((span, at) => ({ ...span, start: at * 10 + 1 }))
  const forwards = judge(placed)
  expect(judge(placed.toReversed())).toEqual(forwards)
  expect(found(forwards.failures)).toEqual(['empty_output c', 'repeated_step t3'])
})

test('whatever a model calls a tool, what is said of it stays short', () => {
  const name = 'x'.repeat(9_000)
  const [failure] = judge([chat('c', answer(null, { name, arguments: '{' }))]).failures
  const { errorType, message, because } = failure!.detection
  expect([errorType, message, because].map((text) => text!.length)).toEqual([200, 500, 300])
})

test('what is answered is the same words each time, so that it is one pain', () => {
  const keyOf = (n: number) =>
    judge([agent('agent'), ...Array.from({ length: n }, (_, i) => tool(`t${i}`, 'f', asked('{}')))]).failures[0]!.fingerprint.key
  expect(keyOf(7)).toEqual(keyOf(3))
})

test('twice the steps cost about twice the time, hints included', () => {
  const steps = (n: number) => [
    agent('agent'),
    ...Array.from({ length: n }, (_, i) => [
      chat(`c${i}`, answer(null, { id: `x${i}`, name: i % 3 === 0 ? 'gone' : 'f', arguments: '{' })),
      tool(`t${i}`, 'f', { ...asked(`{"q":${i % 7}}`), 'gen_ai.tool.call.id': `x${i}` }, i % 5 === 0 ? { status: ERROR } : {}),
    ]).flat(),
  ]
  const [half, whole] = [steps(1_500), steps(3_000)]
  expect(
    isLinear(
      () => judge(half, { withHints: true }),
      () => judge(whole, { withHints: true }),
    ),
  ).toBe(true)
})
