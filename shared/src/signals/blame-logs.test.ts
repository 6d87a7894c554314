import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { judgeTrace } from './judge-trace.ts'
import type { Failure, JudgedTrace } from './model.ts'
import { CLIENT, ERROR, SERVER, type SpanSketch, sketchTrace } from './trace.fixture.ts'

const nameOf = (id: Uint8Array) => Buffer.from(id).toString('latin1').replace(/\.+$/, '')

function judge(sketches: SpanSketch[]): JudgedTrace {
  return judgeTrace('p', sketchTrace(sketches))
}

/** Origin → what passed its error on or tells of it. */
function blameIn(sketches: SpanSketch[]): Record<string, string[]> {
  return Object.fromEntries(
    judge(sketches).failures.map(({ span, propagatedTo }) => [
      nameOf(span.spanId),
      propagatedTo.map((one) => nameOf(one.span.spanId)),
    ]),
  )
}

function onlyFailure(sketches: SpanSketch[]): Failure {
  const { failures } = judge(sketches)
  expect(failures).toHaveLength(1)
  return failures[0]!
}

const ROOT: SpanSketch = { id: 'root', name: 'GET /pay', start: 1, end: 100 }
const BOOM: SpanSketch['exception'] = ['ValueError', 'amount must not be negative', '  File "shop/pay.py", line 3, in pay']

const cases: [guarantee: string, sketches: SpanSketch[], blamed: Record<string, string[]>][] = [
  ['a log record below error is no failure', [ROOT, { id: 'l', parent: 'root', log: 'hello', severity: 9 }], {}],
  ['a log record on a healthy span failed by itself', [ROOT, { id: 'l', parent: 'root', log: 'no money' }], { l: [] }],
  ['one below error that carries an exception did too', [ROOT, { id: 'l', log: 'oh', severity: 13, exception: BOOM }], { l: [] }],
  ['one without a span failed by itself', [ROOT, { id: 'l', log: 'no money' }], { l: [] }],
  ['one whose span has not come yet failed by itself', [{ id: 'l', parent: 'later', log: 'no money' }], { l: [] }],
  [
    'the exception that its span recorded is the span’s',
    [
      { ...ROOT, status: ERROR, exception: BOOM },
      { id: 'l', parent: 'root', log: 'Failed to pay', exception: BOOM },
    ],
    { root: ['l'] },
  ],
  [
    'the words of its span’s status are the span’s',
    [
      { ...ROOT, status: ERROR, message: 'card declined' },
      { id: 'l', parent: 'root', log: 'payment failed: card declined' },
    ],
    { root: ['l'] },
  ],
  [
    'a cause that the span’s stack names is the span’s',
    [
      {
        ...ROOT,
        status: ERROR,
        exception: [
          'PaymentException',
          'could not pay',
          'PaymentException: could not pay\nCaused by: java.net.ConnectException: connection refused by ledger',
        ],
      },
      { id: 'l', parent: 'root', log: 'ledger down', exception: ['java.net.ConnectException', 'connection refused by ledger'] },
    ],
    { root: ['l'] },
  ],
  [
    'an error message on a failing span comments on it in whatever words',
    [
      { ...ROOT, status: ERROR, message: 'card declined' },
      { id: 'l', parent: 'root', log: 'request could not be served' },
    ],
    { root: ['l'] },
  ],
  [
    'another exception on a failing span is another failure',
    [
      { ...ROOT, status: ERROR, exception: BOOM },
      { id: 'l', parent: 'root', log: 'x', exception: ['KeyError', 'no such currency in the table'] },
    ],
    { root: [], l: [] },
  ],
  [
    'a span that says only that it failed failed of what a log record below it tells',
    [
      { ...ROOT, kind: SERVER, status: ERROR, attributes: { 'http.response.status_code': 500 }, view: { kind: 'http' } },
      { id: 'step', parent: 'root', start: 2, end: 9 },
      { id: 'l', parent: 'step', log: 'card declined', start: 5 },
    ],
    { root: ['l'] },
  ],
  [
    'an error that was logged on the way up is its origin’s',
    [
      ROOT,
      { id: 'call', parent: 'root', kind: CLIENT, status: ERROR, exception: BOOM, start: 2, end: 9 },
      { id: 'l', parent: 'root', log: 'caught', exception: BOOM, start: 10 },
    ],
    { call: ['l'] },
  ],
  [
    'one exception that every layer logs is one failure, at the first',
    [
      ROOT,
      { id: 'step', parent: 'root', start: 2, end: 9 },
      { id: 'low', parent: 'step', log: 'a', exception: BOOM, start: 5 },
      { id: 'high', parent: 'root', log: 'b', exception: BOOM, start: 6 },
    ],
    { low: ['high'] },
  ],
  [
    'the same error in two spans side by side is two failures',
    [
      ROOT,
      { id: 'a', parent: 'root', start: 2, end: 9 },
      { id: 'b', parent: 'root', start: 10, end: 19 },
      { id: 'la', parent: 'a', log: 'x', exception: BOOM, start: 5 },
      { id: 'lb', parent: 'b', log: 'x', exception: BOOM, start: 15 },
    ],
    { la: [], lb: [] },
  ],
  [
    'a span fails once by one template, however often it logs it',
    [ROOT, ...[1, 2, 3].map((n) => ({ id: `l${n}`, parent: 'root', log: `item ${n} was not found`, start: n }))],
    { l1: ['l2', 'l3'] },
  ],
]

describe('a failure is blamed once, whoever tells of it', () => {
  test.each(cases)('%s', (_, sketches, blamed) => {
    expect(blameIn(sketches)).toEqual(blamed)
  })

  test('in any order of arrival', () => {
    const pieces = fc
      .constantFrom(...cases)
      .chain(([, sketches]) => fc.shuffledSubarray(sketches, { minLength: sketches.length }))
    fc.assert(
      fc.property(pieces, (sketches) => {
        const known = cases.find(([, all]) => all.length === sketches.length && all.every((one) => sketches.includes(one)))!
        expect(blameIn(sketches)).toEqual(known[2])
      }),
    )
  })
})

describe('what a failure of a log record is known by', () => {
  const lone = onlyFailure([{ id: 'l', log: 'no money for order 7', name: 'shop.pay' }])

  test('the same text on any span or none, with other values in it, is one pain', () => {
    const others = [
      [ROOT, { id: 'x', parent: 'root', log: 'no money for order 8', name: 'shop.pay' }],
      [{ id: 'x', parent: 'later', log: 'no money for order 9', name: 'shop.pay' }],
    ].map(onlyFailure)
    for (const { fingerprint } of others) expect(fingerprint.key).toEqual(lone.fingerprint.key)
  })

  test.each<[string, SpanSketch]>([
    ['text', { id: 'l', log: 'no stock for order 7' }],
    ['service', { id: 'l', log: 'no money for order 7', view: { service: 'stock' } }],
    ['exception', { id: 'l', log: 'no money for order 7', exception: BOOM }],
  ])('another %s is another pain', (_, sketch) => {
    expect(onlyFailure([sketch]).fingerprint.key).not.toEqual(lone.fingerprint.key)
  })

  test('it counts against the runs of the operation of its span, else against none', () => {
    expect(lone.view.operation).toBe('log shop.pay')
    const onSpan = onlyFailure([ROOT, { id: 'l', parent: 'root', log: 'no money' }])
    expect(onSpan.view.operation).toBe('GET /pay')
    const elsewhere = onlyFailure([ROOT, { id: 'l', parent: 'root', log: 'no money', view: { service: 'sidecar' } }])
    expect(elsewhere.view.operation).toBe('log logger')
  })

  test('a span that failed without a word is the pain it would be had the exception come as its event', () => {
    const asEvent = onlyFailure([{ ...ROOT, status: ERROR, exception: BOOM }])
    const asLog = onlyFailure([
      { ...ROOT, status: ERROR },
      { id: 'l', parent: 'root', log: 'Failed', exception: BOOM },
    ])
    expect(asLog.fingerprint.key).toEqual(asEvent.fingerprint.key)
    expect(nameOf(asLog.span.spanId)).toBe('root')
  })
})

describe('which signal a log record shows', () => {
  test.each<[string, SpanSketch, string]>([
    ['an exception', { log: 'Failed', exception: BOOM }, 'exception'],
    ['an error severity', { log: 'no money' }, 'error_status'],
    ['words of a timeout', { log: 'request to ledger timed out after 5 s' }, 'timeout'],
    ['an exception of a timeout', { log: 'x', exception: ['ReadTimeout', 'read timed out'] }, 'timeout'],
    ['words of a rate limit', { log: 'openai: rate limit exceeded, retry later' }, 'rate_limited'],
    ['words of a refusal', { log: 'authentication failed for user bob' }, 'auth_failure'],
    ['words of a dependency', { log: 'connect ECONNREFUSED 10.0.0.7:5432' }, 'dependency_failure'],
    ['an HTTP status that says so', { log: 'bad answer', attributes: { 'http.response.status_code': 429 } }, 'rate_limited'],
    ['a model call', { log: 'no answer', view: { kind: 'chat' } }, 'llm_error'],
  ])('%s', (_, sketch, signal) => {
    expect(onlyFailure([{ id: 'l', ...sketch }]).detection.signal).toBe(signal)
  })

  test('why says what the record said and which rule that met', () => {
    const [log] = sketchTrace([{ id: 'l', log: 'timed out after 5 s' }])
    expect(log!.detection!.because).toBe('the severity of a log record is 17; error text says "timed out"')
  })
})

test('a log record belongs to the session of its span, and is no span, turn or tool call of it', () => {
  const sketches: SpanSketch[] = [
    { id: 'chat', view: { kind: 'chat', session: 's1' } },
    { id: 'other', start: 3, view: { session: 's2' } },
    { id: 'l', parent: 'chat', log: 'no answer', view: { kind: 'chat' }, start: 5 },
  ]
  const { sessions, failures } = judge(sketches)
  expect(failures[0]!.sessionId).toBe('s1')
  expect(sessions[0]).toMatchObject({ sessionId: 's1', spans: 1, turns: 1, failures: 1, endUnixNano: 5n })
})

test('ten thousand failing log records on a deep trace are judged in time', () => {
  const spans = Array.from(
    { length: 5_000 },
    (_, n): SpanSketch => ({ id: `s${n}`, ...(n > 0 && { parent: `s${n - 1}` }), start: n }),
  )
  const logs = Array.from(
    { length: 10_000 },
    (_, n): SpanSketch => ({ id: `l${n}`, parent: `s${n % 5_000}`, log: `error of kind ${'abcdefghij'[n % 10]}`, start: n }),
  )
  const trace = sketchTrace([...spans, ...logs])
  const before = process.cpuUsage()
  const { failures } = judgeTrace('p', trace)
  const { user } = process.cpuUsage(before)
  expect(failures.length).toBeGreaterThan(9)
  expect(user / 1000).toBeLessThan(5_000)
})
