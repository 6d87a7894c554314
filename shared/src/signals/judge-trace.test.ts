import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { judgeTrace } from './judge-trace.ts'
import type { JudgedTrace } from './model.ts'
import { CLIENT, CONSUMER, ERROR, OK, SERVER, type SpanSketch, sketchTrace } from './trace.fixture.ts'

const nameOf = (id: Uint8Array) => Buffer.from(id).toString('latin1').replace(/\.+$/, '')

/** Origin → the ancestors that passed its error on. */
function blameIn(sketches: SpanSketch[]): Record<string, string[]> {
  return blameOf(judgeTrace('p', sketchTrace(sketches)))
}

function blameOf(judged: JudgedTrace): Record<string, string[]> {
  return Object.fromEntries(
    judged.failures.map(({ span, propagatedTo }) => [
      nameOf(span.spanId),
      propagatedTo.map((above) => nameOf(above.span.spanId)),
    ]),
  )
}

const cases: [guarantee: string, sketches: SpanSketch[], blamed: Record<string, string[]>][] = [
  ['a healthy trace has no failure', [{ id: 'a' }, { id: 'b', parent: 'a' }], {}],
  [
    'an error that a framework wraps is its tool’s',
    [
      { id: 'run', status: OK, view: { kind: 'agent' } },
      {
        id: 'step',
        parent: 'run',
        status: ERROR,
        exception: [
          'AgentExecutionError',
          "Error when executing tool page_down with arguments {'': ''}: TypeError: f() got an unexpected keyword argument ''",
        ],
        view: { kind: 'workflow' },
      },
      {
        id: 'tool',
        parent: 'step',
        status: ERROR,
        exception: ['TypeError', "f() got an unexpected keyword argument ''"],
        view: { kind: 'tool' },
      },
    ],
    { tool: ['step'] },
  ],
  [
    'it rises through healthy spans and servers that say only 500',
    [
      { id: 'client', kind: CLIENT, status: ERROR, attributes: { 'http.response.status_code': 500 }, view: { kind: 'http' } },
      {
        id: 'server',
        parent: 'client',
        kind: SERVER,
        status: ERROR,
        message: 'Internal Server Error',
        attributes: { 'http.response.status_code': 500 },
        view: { kind: 'http' },
      },
      { id: 'middle', parent: 'server' },
      {
        id: 'query',
        parent: 'middle',
        kind: CLIENT,
        status: ERROR,
        exception: ['Error', 'connect ECONNREFUSED 10.0.0.1:5432'],
        view: { kind: 'database' },
      },
    ],
    { query: ['server', 'client'] },
  ],
  [
    'the server side tells better than its client why the call failed',
    [
      { id: 'client', kind: CLIENT, status: ERROR, exception: ['StatusError', 'remote said no'], view: { kind: 'rpc' } },
      {
        id: 'server',
        parent: 'client',
        kind: SERVER,
        status: ERROR,
        exception: ['KeyError', 'price is missing'],
        view: { kind: 'rpc' },
      },
    ],
    { server: ['client'] },
  ],
  [
    'an ancestor with an error of its own fails by itself',
    [
      { id: 'run', status: ERROR, exception: ['AgentError', 'Error in code parsing: no code found'], view: { kind: 'agent' } },
      { id: 'step', parent: 'run', status: ERROR, exception: ['ParseError', 'no code found'], view: { kind: 'workflow' } },
      { id: 'tool', parent: 'step', status: ERROR, exception: ['ValueError', 'page 7 does not exist'], view: { kind: 'tool' } },
      { id: 'think', parent: 'step', start: 3, view: { kind: 'chat' } },
    ],
    { step: ['run'], tool: [] },
  ],
  [
    'a tool that repeats its client’s code passes on what failed behind that client',
    [
      { id: 'tool', status: ERROR, message: 'lookup: answered 500', end: 100, view: { kind: 'tool' } },
      {
        id: 'client',
        parent: 'tool',
        kind: CLIENT,
        status: ERROR,
        attributes: { 'http.response.status_code': 500 },
        end: 9,
        view: { kind: 'http' },
      },
      {
        id: 'server',
        parent: 'client',
        kind: SERVER,
        status: ERROR,
        exception: ['KeyError', "'sku'"],
        end: 8,
        view: { kind: 'http' },
      },
    ],
    { server: ['client', 'tool'] },
  ],
  [
    'an error that was handled does not excuse a later one without words',
    [
      { id: 'root', status: ERROR },
      { id: 'guard', parent: 'root', status: OK },
      { id: 'tool', parent: 'guard', status: ERROR, message: 'page 7 does not exist', view: { kind: 'tool' } },
    ],
    { root: [], tool: [] },
  ],
  [
    'a retry that worked leaves the failure at the child',
    [
      { id: 'root' },
      { id: 'try1', parent: 'root', name: 'GET', kind: CLIENT, status: ERROR, message: 'connection reset', start: 2 },
      { id: 'try2', parent: 'root', name: 'GET', kind: CLIENT, start: 3 },
    ],
    { try1: [] },
  ],
  [
    'a parent that fails after a retry that worked fails by itself',
    [
      { id: 'root', status: ERROR },
      { id: 'try1', parent: 'root', name: 'GET', kind: CLIENT, status: ERROR, message: 'connection reset', start: 2 },
      { id: 'try2', parent: 'root', name: 'GET', kind: CLIENT, start: 3 },
    ],
    { root: [], try1: [] },
  ],
  [
    'several failing children are several failures of which the parent is the radius',
    [
      { id: 'root', status: ERROR },
      { id: 'a', parent: 'root', status: ERROR, message: 'disk is full', start: 2 },
      { id: 'b', parent: 'root', status: ERROR, message: 'queue is gone', start: 3 },
    ],
    { a: ['root'], b: ['root'] },
  ],
  [
    'the same type and template is the same error',
    [
      { id: 'outer', status: ERROR, exception: ['TimeoutError', 'gave up after 3001 ms'] },
      { id: 'inner', parent: 'outer', status: ERROR, exception: ['TimeoutError', 'gave up after 3000 ms'] },
    ],
    { inner: ['outer'] },
  ],
  [
    'a stack that names the cause is enough',
    [
      {
        id: 'outer',
        status: ERROR,
        exception: [
          'OrderError',
          'could not save',
          'OrderError: could not save\nCaused by: SQLException: relation "orders" is locked',
        ],
      },
      { id: 'inner', parent: 'outer', status: ERROR, exception: ['SQLException', 'relation "orders" is locked'] },
    ],
    { inner: ['outer'] },
  ],
  [
    'a service that ends with its callee’s failure passes it on in words of its own',
    [
      { id: 'gateway', kind: SERVER, status: ERROR, message: 'checkout failed', start: 1, end: 100 },
      {
        id: 'call',
        parent: 'gateway',
        kind: CLIENT,
        status: ERROR,
        message: '13 INTERNAL: failed to charge',
        start: 10,
        end: 95,
      },
      { id: 'order', parent: 'call', kind: SERVER, status: ERROR, message: 'failed to charge', start: 12, end: 90 },
      { id: 'rates', parent: 'order', kind: CLIENT, start: 13, end: 20 },
      { id: 'step', parent: 'order', start: 21, end: 89 },
      {
        id: 'pay',
        parent: 'step',
        kind: CLIENT,
        status: ERROR,
        exception: ['CardDeclined', 'card declined'],
        start: 30,
        end: 85,
      },
    ],
    { pay: ['order', 'call', 'gateway'] },
  ],
  [
    'a service that worked on after a callee’s failure fails by itself',
    [
      { id: 'server', kind: SERVER, status: ERROR, message: 'cart is empty', start: 1, end: 100 },
      { id: 'ads', parent: 'server', kind: CLIENT, status: ERROR, message: 'no ads today', start: 10, end: 20 },
      { id: 'cart', parent: 'server', kind: CLIENT, start: 80, end: 90 },
    ],
    { server: [], ads: [] },
  ],
  [
    'a service that failed long after its callee fails by itself',
    [
      { id: 'server', kind: SERVER, status: ERROR, message: 'cart is empty', start: 1, end: 100 },
      { id: 'ads', parent: 'server', kind: CLIENT, status: ERROR, message: 'no ads today', start: 10, end: 20 },
    ],
    { server: [], ads: [] },
  ],
  [
    'a consumer that fails later is not its producer’s failure',
    [
      { id: 'send', status: ERROR },
      { id: 'work', parent: 'send', kind: CONSUMER, status: ERROR, message: 'bad payload' },
    ],
    { send: [], work: [] },
  ],
  ['an orphan is judged by itself', [{ id: 'lost', parent: 'nowhere', status: ERROR, message: 'x is gone' }], { lost: [] }],
  ['a span that is its own parent is a root', [{ id: 'self', parent: 'self', status: ERROR }], { self: [] }],
  [
    'a cycle is cut and judged',
    [
      { id: 'a', parent: 'b', status: ERROR },
      { id: 'b', parent: 'a', status: ERROR, message: 'disk is full' },
    ],
    { b: ['a'] },
  ],
]

test.each(cases)('%s', (_guarantee, sketches, blamed) => {
  expect(blameIn(sketches)).toEqual(blamed)
})

test('an ended span beats its unended version, whichever comes first', () => {
  const [unended, ended] = sketchTrace([
    { id: 'a', end: 0 },
    { id: 'a', end: 9, status: ERROR, message: 'x is gone' },
  ])
  for (const spans of [
    [unended!, ended!],
    [ended!, unended!],
  ])
    expect(blameOf(judgeTrace('p', spans))).toEqual({ a: [] })
})

const word = fc.constantFrom('page 7 does not exist', 'Error: page 7 does not exist', 'disk is full', '', 'Internal Server Error')
const sketch: fc.Arbitrary<SpanSketch> = fc.record({
  id: fc.constantFrom(...'abcdefghij'),
  parent: fc.option(fc.constantFrom(...'abcdefghijx'), { nil: undefined }),
  kind: fc.integer({ min: 0, max: 5 }),
  status: fc.integer({ min: 0, max: 2 }),
  message: word,
  start: fc.integer({ min: 1, max: 5 }),
  end: fc.integer({ min: 0, max: 9 }),
  view: fc.record({ kind: fc.constantFrom('chat', 'tool', 'agent', 'http'), session: fc.constantFrom(null, null, 's1', 's2') }),
})

test('the verdict does not depend on the order in which spans came', () => {
  const shuffled = fc.array(sketch, { maxLength: 20 }).chain((sketches) => {
    const spans = sketchTrace(sketches)
    return fc.tuple(fc.constant(spans), fc.shuffledSubarray(spans, { minLength: spans.length }))
  })
  fc.assert(
    fc.property(shuffled, ([spans, other]) => expect(judgeTrace('p', other)).toEqual(judgeTrace('p', spans))),
    { numRuns: 300, seed: 7 },
  )
})

test('every failing span is an origin or named as passing on', () => {
  fc.assert(
    fc.property(fc.uniqueArray(sketch, { maxLength: 20, selector: ({ id }) => id }), (sketches) => {
      const spans = sketchTrace(sketches)
      const { failures } = judgeTrace('p', spans)
      const named = new Set(failures.flatMap(({ span, propagatedTo }) => [span, ...propagatedTo.map((above) => above.span)]))
      expect(named.size).toBe(spans.filter(({ detection }) => detection).length)
    }),
    { numRuns: 300, seed: 7 },
  )
})

describe('a chain as long as the trace is judged within seconds', () => {
  const chain = (length: number, of: (i: number) => SpanSketch) =>
    sketchTrace(
      Array.from({ length }, (_, i) => ({
        id: String(i),
        parent: i === 0 ? undefined : String(i - 1),
        start: i + 1,
        ...of(i),
      })),
    )

  test.each<[what: string, length: number, of: (i: number) => SpanSketch, failures: number]>([
    ['all failing without a word', 100_000, () => ({ status: ERROR }), 1],
    ['only the last one', 100_000, (i) => ({ status: i === 99_999 ? ERROR : 0 }), 1],
    ['all failing by themselves', 20_000, (i) => ({ status: ERROR, message: `${lettersOf(i)} is gone` }), 20_000],
  ])('%s', (_what, length, of, failures) => {
    expect(judgeTrace('p', chain(length, of)).failures).toHaveLength(failures)
  })
})

function lettersOf(number: number): string {
  return String(number).replace(/\d/g, (digit) => 'abcdefghij'[Number(digit)]!)
}

test('a failure carries its sampling weight and its session', () => {
  const { failures } = judgeTrace('p', sketchTrace([{ id: 'a', status: ERROR, traceState: 'ot=th:c', view: { session: 's1' } }]))
  expect(failures).toMatchObject([{ weight: 4, sessionId: 's1' }])
})
