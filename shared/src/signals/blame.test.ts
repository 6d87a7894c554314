import { expect, test } from '@jest/globals'
import { toHex } from '../otlp/ids.ts'
import { judgeTrace } from './judge-trace.ts'
import { CLIENT, ERROR, SERVER, type SpanSketch, sketchTrace } from './trace.fixture.ts'

const idOf = (id: Uint8Array) => Buffer.from(toHex(id), 'hex').toString('latin1').replace(/\.+$/, '')
const cancelled: SpanSketch['exception'] = ['JobError', 'job 17 was cancelled']

/** Origin → what it is the cause of. */
const cases: [guarantee: string, sketches: SpanSketch[], blamed: Record<string, string[]>][] = [
  [
    'five services, each with words of its own, and the database below them',
    [
      { id: 'web', kind: SERVER, status: ERROR, message: 'Checkout failed, try again later', start: 0, end: 1000 },
      {
        id: 'call1',
        parent: 'web',
        kind: CLIENT,
        status: ERROR,
        message: 'Request failed with status code 502',
        start: 10,
        end: 990,
      },
      { id: 'api', parent: 'call1', kind: SERVER, status: ERROR, message: 'order service is unavailable', start: 20, end: 980 },
      {
        id: 'call2',
        parent: 'api',
        kind: CLIENT,
        status: ERROR,
        attributes: { 'rpc.grpc.status_code': 14 },
        start: 30,
        end: 970,
      },
      {
        id: 'order',
        parent: 'call2',
        kind: SERVER,
        status: ERROR,
        attributes: { 'rpc.grpc.status_code': 14 },
        start: 40,
        end: 960,
      },
      {
        id: 'pool',
        parent: 'order',
        status: ERROR,
        exception: ['PoolError', 'no connection within 500 ms'],
        start: 50,
        end: 950,
      },
      {
        id: 'db',
        parent: 'pool',
        kind: CLIENT,
        status: ERROR,
        exception: ['Error', 'connect ETIMEDOUT 10.0.0.3:5432'],
        start: 60,
        end: 940,
      },
    ],
    { db: ['pool', 'order', 'call2', 'api', 'call1', 'web'] },
  ],
  [
    'an error that only holds those of what was begun together, however long the others took',
    [
      { id: 'root', status: ERROR, exception: ['AggregateError', '2 of 3 lookups failed'], start: 0, end: 1000 },
      {
        id: 'a',
        parent: 'root',
        kind: CLIENT,
        name: 'GET a',
        status: ERROR,
        message: 'connect ECONNREFUSED',
        start: 10,
        end: 50,
      },
      { id: 'b', parent: 'root', kind: CLIENT, name: 'GET b', status: ERROR, message: 'socket hang up', start: 10, end: 90 },
      { id: 'c', parent: 'root', kind: CLIENT, name: 'GET c', start: 10, end: 990 },
    ],
    { a: ['root'], b: ['root'] },
  ],
  [
    'words that are wrapped with another letter and another number',
    [
      {
        id: 'root',
        status: ERROR,
        exception: ['OrderError', 'no order: caused by: connection refused after 3001 ms'],
        start: 0,
        end: 1000,
      },
      {
        id: 'call',
        parent: 'root',
        kind: CLIENT,
        status: ERROR,
        exception: ['NetError', 'Connection refused after 3000 ms'],
        start: 10,
        end: 90,
      },
      { id: 'more', parent: 'root', start: 200, end: 900 },
    ],
    { call: ['root'] },
  ],
  [
    'a server whose clock is wrong, called by a service that recorded no client',
    [
      { id: 'web', kind: SERVER, status: ERROR, message: 'page failed', start: 1000, end: 1100 },
      {
        id: 'pay',
        parent: 'web',
        kind: SERVER,
        status: ERROR,
        message: 'charge failed',
        start: 100,
        end: 190,
        view: { service: 'pay' },
      },
    ],
    { pay: ['web'] },
  ],
  [
    'who gave up waiting, and not the work that was cancelled for it',
    [
      { id: 'call', kind: CLIENT, status: ERROR, attributes: { 'rpc.grpc.status_code': 4 }, start: 0, end: 100 },
      {
        id: 'server',
        parent: 'call',
        kind: SERVER,
        status: ERROR,
        message: 'request handling was cancelled',
        start: 5,
        end: 300,
      },
      {
        id: 'query',
        parent: 'server',
        kind: CLIENT,
        status: ERROR,
        message: 'canceling statement due to user request',
        start: 10,
        end: 299,
      },
    ],
    { call: ['query', 'server'] },
  ],
  [
    'the statement that was out of time by itself, and not the caller who tells of it',
    [
      {
        id: 'call',
        kind: CLIENT,
        status: ERROR,
        exception: ['CallError', 'stock: canceling statement due to statement timeout'],
        start: 0,
        end: 100,
      },
      {
        id: 'server',
        parent: 'call',
        kind: SERVER,
        status: ERROR,
        exception: ['QueryCanceled', 'canceling statement due to statement timeout'],
        start: 5,
        end: 90,
      },
      {
        ...{ id: 'query', parent: 'server', kind: CLIENT, status: ERROR, start: 10, end: 80 },
        exception: ['QueryCanceled', 'canceling statement due to statement timeout'],
        attributes: { 'db.response.status_code': '57014' },
      },
    ],
    { query: ['server', 'call'] },
  ],
  [
    'the call that a program gave up, of which its request failed',
    [
      {
        id: 'server',
        kind: SERVER,
        status: ERROR,
        attributes: { 'http.response.status_code': 500 },
        exception: ['AbortError', 'This operation was aborted'],
        start: 0,
        end: 100,
      },
      {
        id: 'call',
        parent: 'server',
        kind: CLIENT,
        status: ERROR,
        exception: ['AbortError', 'This operation was aborted'],
        start: 5,
        end: 95,
      },
    ],
    { call: ['server'] },
  ],
  [
    'what failed first of a group, and not the others that were cancelled with it',
    [
      { id: 'group', status: ERROR, exception: ['ExceptionGroup', 'unhandled errors in a TaskGroup'], start: 0, end: 100 },
      { id: 'a', parent: 'group', status: ERROR, exception: ['KeyError', 'sku is gone'], start: 10, end: 50 },
      { id: 'b', parent: 'group', status: ERROR, exception: cancelled, start: 10, end: 51 },
      { id: 'c', parent: 'group', status: ERROR, exception: cancelled, start: 10, end: 52 },
    ],
    { a: ['b', 'c', 'group'] },
  ],
  [
    'a span with an error of its own, and not what it cancelled',
    [
      { id: 'root', status: ERROR, exception: ['ValueError', 'no such user'], start: 0, end: 100 },
      { id: 'task', parent: 'root', status: ERROR, exception: cancelled, start: 10, end: 99 },
    ],
    { root: ['task'] },
  ],
  [
    'a cancelled call alone',
    [
      { id: 'root', status: ERROR, start: 0, end: 100 },
      { id: 'task', parent: 'root', status: ERROR, exception: cancelled, start: 10, end: 99 },
    ],
    { task: ['root'] },
  ],
]

test.each(cases)('blames %s', (_guarantee, sketches, blamed) => {
  for (const spans of [sketchTrace(sketches), sketchTrace(sketches.toReversed())]) {
    const { failures } = judgeTrace('p', spans)
    const found = failures.map(({ span, propagatedTo }) => [idOf(span.spanId), propagatedTo.map((one) => idOf(one.span.spanId))])
    const inOrder = (of: Record<string, string[]>) => Object.entries(of).map(([id, others]) => [id, others.toSorted()])
    expect(inOrder(Object.fromEntries(found))).toEqual(inOrder(blamed))
  }
})
