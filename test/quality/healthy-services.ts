import type { OtlpValue } from '@loopkit/shared/otlp/model'
import { intBetween, pick, type Random } from '../demo/random.ts'

/** A span of a healthy trace, before it has ids and times. Spans stand under the one they name by its place in the list. */
export interface HealthySpan {
  name: string
  service?: string
  under?: number
  /** As in OTLP: 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  kind?: number
  status?: number
  message?: string
  attributes?: Record<string, OtlpValue>
  events?: { name: string; attributes: Record<string, OtlpValue> }[]
  /** Never ends: a stream that is still open. */
  isOpen?: boolean
}

export interface HealthyShape {
  name: string
  draw: (random: Random) => HealthySpan[]
}

const SERVER = 2
const CLIENT = 3
const OK = 1
const ERROR = 2

const PATHS = ['/', '/products/:id', '/cart', '/search', '/orders/:id'] as const
const served = (method: string, route: string, status: number, more: Partial<HealthySpan> = {}): HealthySpan => ({
  name: `${method} ${route}`,
  kind: SERVER,
  attributes: { 'http.request.method': method, 'http.route': route, 'http.response.status_code': status },
  ...more,
})
const called = (method: string, host: string, status: number, more: Partial<HealthySpan> = {}): HealthySpan => ({
  name: method,
  kind: CLIENT,
  under: 0,
  attributes: {
    'http.request.method': method,
    'url.full': `http://${host}/v1`,
    'server.address': host,
    'http.response.status_code': status,
  },
  ...more,
})
const query = (operation: string, more: Partial<HealthySpan> = {}): HealthySpan => ({
  name: `${operation} orders`,
  kind: CLIENT,
  under: 0,
  attributes: { 'db.system.name': 'postgresql', 'db.operation.name': operation, 'db.collection.name': 'orders' },
  ...more,
})
const grpc = (method: string, code: number, more: Partial<HealthySpan> = {}): HealthySpan => ({
  name: `shop.Stock/${method}`,
  kind: SERVER,
  attributes: { 'rpc.system': 'grpc', 'rpc.service': 'shop.Stock', 'rpc.method': method, 'rpc.grpc.status_code': code },
  ...more,
})
const exception = (type: string, message: string, more: Record<string, OtlpValue> = {}) => ({
  name: 'exception',
  attributes: { 'exception.type': type, 'exception.message': message, ...more },
})

/** What nearly every visit is like; the other shapes are what happens beside it. */
export const ORDINARY = 'a page with all that belongs to it'

/** What services do on a good day, in the telemetry that their instrumentations send of it. */
export const SERVICE_SHAPES: readonly HealthyShape[] = [
  {
    name: ORDINARY,
    draw: (random) => [
      served(pick(random, ['GET', 'GET', 'PUT', 'POST']), pick(random, PATHS), 200),
      { name: 'cache.get', under: 0 },
      ...['SELECT', 'UPDATE', 'INSERT'].map((verb) => query(verb)),
      ...['catalog', 'api', 'rates', 'ads', 'search'].map((host) => called('GET', host, 200)),
      grpc('Get', 0, { kind: CLIENT, under: 0 }),
      { name: 'websocket', kind: SERVER, under: 0 },
    ],
  },
  { name: 'a page that is not there', draw: () => [served('GET', '/products/:id', 404)] },
  {
    name: 'a client that is told so, as its convention has it',
    draw: () => [
      served('GET', '/products/:id', 200),
      called('GET', 'catalog', 404, {
        status: ERROR,
        attributes: {
          'http.request.method': 'GET',
          'server.address': 'catalog',
          'http.response.status_code': 404,
          'error.type': '404',
        },
      }),
    ],
  },
  { name: 'not logged in yet', draw: () => [served('GET', '/me', 401), served('POST', '/login', 200, { under: 0 })] },
  {
    name: 'a token that is renewed',
    draw: () => [
      served('GET', '/orders/:id', 200),
      called('GET', 'api', 401),
      called('POST', 'auth', 200),
      called('GET', 'api', 200),
    ],
  },
  { name: 'a form that is refused', draw: () => [served('POST', '/checkout', 422)] },
  { name: 'a visitor who is gone', draw: () => [served('GET', '/search', 499)] },
  {
    name: 'a browser that goes elsewhere',
    draw: () => [
      {
        name: 'HTTP GET',
        kind: CLIENT,
        status: ERROR,
        message: 'The user aborted a request.',
        events: [exception('AbortError', 'The user aborted a request.')],
      },
    ],
  },
  {
    name: 'a server whose caller is gone',
    draw: () => [served('GET', '/search', 200, { status: ERROR, events: [exception('asyncio.exceptions.CancelledError', '')] })],
  },
  {
    name: 'a cache that has nothing, told by an exception',
    draw: () => [
      served('GET', '/products/:id', 200),
      { name: 'cache.get', under: 0, events: [exception('KeyNotFoundError', 'sku-17 is not in the cache')] },
      query('SELECT'),
    ],
  },
  {
    name: 'a row that somebody else changed first',
    draw: () => [
      served('PUT', '/cart', 200),
      query('UPDATE', {
        status: ERROR,
        attributes: {
          'db.system.name': 'postgresql',
          'db.operation.name': 'UPDATE',
          'db.collection.name': 'orders',
          'db.response.status_code': '40001',
          'error.type': '40001',
        },
        events: [exception('SerializationFailure', 'could not serialize access due to concurrent update')],
      }),
      query('UPDATE'),
    ],
  },
  {
    name: 'a call that works the second time',
    draw: () => [
      served('GET', '/', 200),
      called('GET', 'rates', 503, {
        status: ERROR,
        attributes: {
          'http.request.method': 'GET',
          'server.address': 'rates',
          'http.response.status_code': 503,
          'error.type': '503',
        },
      }),
      called('GET', 'rates', 200),
    ],
  },
  {
    name: 'a part of the page that may be missing',
    draw: () => [served('GET', '/', 200), called('GET', 'ads', 500, { status: ERROR, message: 'no ads' }), query('SELECT')],
  },
  {
    name: 'waiting until something is ready',
    draw: (random) => [
      { name: 'wait for index', status: OK },
      ...Array.from({ length: intBetween(random, 2, 7) }, () =>
        called('GET', 'search', 503, { status: ERROR, message: 'not ready' }),
      ),
      called('GET', 'search', 200),
    ],
  },
  { name: 'gRPC: not found', draw: () => [grpc('Get', 5)] },
  { name: 'gRPC: cancelled', draw: () => [grpc('Watch', 1)] },
  {
    name: 'gRPC: cancelled, and called an error',
    draw: () => [grpc('Watch', 1, { status: ERROR, message: 'context canceled' })],
  },
  { name: 'gRPC: a name that is taken', draw: () => [grpc('Create', 6), query('INSERT')] },
  { name: 'gRPC: wrong arguments, the caller’s own', draw: () => [grpc('List', 3)] },
  {
    name: 'a client that asks for what may not be there',
    draw: () => [
      served('GET', '/cart', 200),
      grpc('Get', 5, { kind: CLIENT, under: 0, status: ERROR, message: '5 NOT_FOUND: no such cart' }),
    ],
  },
  { name: 'a health check', draw: () => [served('GET', '/healthz', 200)] },
  { name: 'a redirection', draw: (random) => [served('GET', '/old', pick(random, [301, 302, 304, 307]))] },
  {
    name: 'a feature that is looked for',
    draw: () => [
      {
        name: 'load plugins',
        events: [exception('ModuleNotFoundError', "No module named 'orjson'", { 'exception.escaped': 'False' })],
      },
    ],
  },
  {
    name: 'an exception on the way to a good answer',
    draw: () => [served('POST', '/upload', 201, { events: [exception('UnicodeDecodeError', 'invalid start byte')] })],
  },
  {
    name: 'a queue and who works on it later',
    draw: () => [
      { name: 'orders publish', kind: 4, attributes: { 'messaging.system': 'kafka', 'messaging.destination.name': 'orders' } },
      {
        name: 'orders process',
        kind: 5,
        under: 0,
        service: 'worker',
        attributes: { 'messaging.system': 'kafka', 'messaging.destination.name': 'orders' },
      },
      query('INSERT', { under: 1 }),
    ],
  },
  {
    name: 'work on errors',
    draw: (): HealthySpan[] => [
      { name: 'render error page', attributes: { 'app.failed_jobs': 0, 'error.count': 3, 'app.state': 'failed over' } },
      { name: 'timeout handler', under: 0, attributes: { 'app.timeout_ms': 500 } },
      { name: 'retry failed payments', under: 0 },
    ],
  },
  { name: 'a stream that stays open', draw: () => [{ name: 'websocket', kind: SERVER, isOpen: true }] },
  {
    name: 'a lookup without rows',
    draw: () => [
      served('GET', '/search', 200),
      query('SELECT', {
        attributes: { 'db.system.name': 'postgresql', 'db.operation.name': 'SELECT', 'db.response.status_code': '02000' },
      }),
    ],
  },
]
