import { expect, test } from '@jest/globals'
import { agent, answer, chat, idText, judge, tool } from '../soft/agent.fixture.ts'
import { ERROR, type SpanSketch } from '../trace.fixture.ts'

const hintsOf = (spans: SpanSketch[]) =>
  judge([agent('agent'), ...spans], { withHints: true }).hints.map(({ kind, spanId }) => `${kind} ${idText(spanId)}`)
const step = (id: string, more: SpanSketch = {}): SpanSketch => ({
  id,
  parent: 'agent',
  name: id,
  ...more,
  view: { kind: 'workflow', ...more.view },
})
const failing = { status: ERROR, message: 'no such file' }
const search = (q: string) => answer(null, { name: 'search', arguments: { q } })
const plan = answer('1. Use the web_search tool to find it.\n2. Read it.\n3. Answer.')
const shredded = { 'output.value': `Tree:\n${[...'directory structure'].join('\n')}` }

test.each<[what: string, spans: SpanSketch[], hints: string[]]>([
  [
    'a failed tool: the turn that asked, and the one that was told',
    [chat('a', search('x')), tool('t', 'search', {}, failing), chat('b', answer('Hm.'))],
    ['failed_action a', 'after_failure b'],
  ],
  [
    'a failed step around its turn',
    [step('s', failing), chat('a', answer('do'), { parent: 's' }), step('u'), chat('b', answer('Hm.'), { parent: 'u' })],
    ['failed_action a', 'after_failure b'],
  ],
  ['a model call that failed is no action', [chat('a', {}, failing), chat('b', answer('Hm.'))], []],
  [
    'arguments that do not fit, told by the tool that failed of them',
    [chat('a', answer(null, { name: 'down', arguments: { '': '' } })), tool('t', 'down', {}, failing)],
    ['failed_action a', 'invalid_arguments a'],
  ],
  ['one character a line', [step('s', { attributes: shredded }), chat('b', answer('Hm.'))], ['shredded_output b']],
  [
    'a numbered list of characters',
    [
      step('s', { attributes: { 'output.value': [...'directory'].map((c, i) => `${i}: ${c}`).join('\n') } }),
      chat('b', answer('Hm.')),
    ],
    ['shredded_output b'],
  ],
  [
    'an answer out of nothing',
    [chat('a', plan), chat('b', answer('Based on the sources that I consulted, it is 4.'))],
    ['unsupported_answer b', 'unused_tool b'],
  ],
  [
    'an answer after work',
    [chat('a', search('x')), tool('t', 'search'), chat('b', answer('According to the source found, 4.'))],
    [],
  ],
  ['a plain answer', [chat('b', answer('4.'))], []],
  [
    'a plan that is followed',
    [chat('a', plan), chat('b', answer(null, { name: 'web_search' })), tool('t', 'web_search'), chat('c', answer('4.'))],
    [],
  ],
  [
    'work that is only played',
    [chat('a', answer('I will simulate the search.\n```py\nx = 4\n```'))],
    ['simulated_work a', 'unsupported_answer a'],
  ],
  [
    'trouble, in its own words',
    [chat('a', search('x')), tool('t', 'search'), chat('b', answer("That didn't work. Let me try a different approach."))],
    ['self_reported_trouble b'],
  ],
  [
    'a search that found nothing',
    [
      chat('a', search('x')),
      tool('t', 'search', { 'gen_ai.tool.call.result': 'No results found for "x".' }),
      chat('b', answer('4.')),
    ],
    ['empty_search a'],
  ],
  [
    'one tool again and again',
    [1, 2, 3, 4].map((i) => tool(`t${i}`, 'search', { 'input.value': `${i}` })),
    ['same_tool_streak t3', 'same_tool_streak t4'],
  ],
])('%s', (_what, spans, hints) => expect(hintsOf(spans).sort()).toEqual(hints.sort()))

test('hints are told only where they are asked for, each with its session', () => {
  const spans = [agent('agent', { view: { session: 's-1' } }), chat('a', search('x')), tool('t', 'search', {}, failing)]
  expect(judge(spans).hints).toEqual([])
  expect(judge(spans, { withHints: true }).hints).toMatchObject([
    { kind: 'failed_action', sessionId: 's-1', because: 'its execute_tool search failed' },
  ])
})
