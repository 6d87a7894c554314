import { encodeTraces } from '@loopkit/shared/otlp/encode-traces'
import type { OtlpAttributes, SpanInContext } from '@loopkit/shared/otlp/model'

/** Spans of the made-up body, and the services that they come from. */
const SPANS = 240
const SERVICES = 6
const OPERATIONS = 8
/** Long enough for what runs per span to be compiled, in ms; a restart must not take longer to notice. */
const WARM_UP_MAX_MS = 300
const ROUNDS_MAX = 200

/**
 * Does the work on made-up spans until the code that runs per span is compiled: a first body of 512 spans took 100 ms where
 * the hundredth takes 2, and those that came behind it waited too. `sinceMs` is when the start began that this is part of: one that
 * took long already is not made longer.
 */
export function warmUp(work: (round: number) => void, monotonicMs: () => number, sinceMs: number = monotonicMs()): void {
  const endMs = sinceMs + WARM_UP_MAX_MS
  for (let round = 1; round <= ROUNDS_MAX && monotonicMs() < endMs; round++) work(round)
}

/** A request with what spans have: all types of values, events, links, failures, unended ones, work of agents. */
export function createMadeUpBody(): Uint8Array {
  return new Uint8Array(encodeTraces(Array.from({ length: SPANS }, (_, n) => madeUpSpan(n))))
}

function madeUpSpan(n: number): SpanInContext {
  const service = n % SERVICES
  const startUnixNano = 1_700_000_000_000_000_000n + BigInt(n) * 1_000_003n
  const failed = n % 7 === 0
  return {
    resource: {
      attributes: texts('service.name', `service-${service}`, 'service.version', '1.2.3'),
      droppedAttributesCount: 0,
      schemaUrl: '',
    },
    scope: { name: `library-${service}`, version: '1.0', attributes: new Map(), droppedAttributesCount: 0, schemaUrl: '' },
    span: {
      traceId: idOf(n >> 3, 16),
      spanId: idOf(n, 8),
      parentSpanId: n % 8 === 0 ? null : idOf(n - 1, 8),
      traceState: '',
      flags: 1,
      name: `GET /things/${n % OPERATIONS}`,
      kind: 1 + (n % 3),
      startUnixNano,
      endUnixNano: n % 11 === 0 ? 0n : startUnixNano + 5_000_000n,
      attributes: madeUpAttributes(n, failed),
      droppedAttributesCount: 0,
      events: failed ? [exceptionAt(startUnixNano)] : [],
      droppedEventsCount: 0,
      links:
        n % 13 === 0
          ? [
              {
                traceId: idOf(n, 16),
                spanId: idOf(n + 1, 8),
                traceState: '',
                attributes: new Map(),
                droppedAttributesCount: 0,
                flags: 0,
              },
            ]
          : [],
      droppedLinksCount: 0,
      status: failed ? { code: 2, message: `thing ${n} was not found` } : { code: 0, message: '' },
    },
  }
}

function madeUpAttributes(n: number, failed: boolean): OtlpAttributes {
  const attributes = texts(...WORK[n % WORK.length]!(n))
  attributes.set(n % 3 === 0 ? 'http.status_code' : 'http.response.status_code', failed ? 500 : 200)
  attributes.set('duration_ms', n + 0.5)
  attributes.set('cached', n % 2 === 0)
  attributes.set('tags', ['a', `b${n % 5}`])
  if (n % 5 === 0) attributes.set('session.id', `session-${n % 4}`)
  if (n % 6 === 0) {
    attributes.set('gen_ai.operation.name', n % 4 === 0 ? 'chat' : 'execute_tool')
    attributes.set('gen_ai.request.model', 'model')
    attributes.set('gen_ai.usage.input_tokens', n * 3)
  }
  return attributes
}

/** What instrumentations of several kinds and ages say of a span. */
const WORK: readonly ((n: number) => string[])[] = [
  (n) => [
    'http.request.method',
    'GET',
    'url.path',
    `/things/${n}`,
    'server.address',
    'things.example',
    'http.route',
    '/things/:id',
  ],
  (n) => [
    'http.method',
    'POST',
    'http.url',
    `http://things.example:8080/v1/things/${n}?by=name`,
    'net.peer.name',
    'things.example',
  ],
  (n) => [
    'rpc.system',
    'grpc',
    'rpc.service',
    'shop.Things',
    'rpc.method',
    `Get${n % OPERATIONS}`,
    'network.peer.address',
    '10.0.0.7',
  ],
  (n) => ['db.system', 'postgresql', 'db.statement', `select * from things where id = ${n}`, 'db.name', 'things'],
  (n) => ['messaging.system', 'kafka', 'messaging.destination.name', 'things', 'messaging.message.id', `message-${n}`],
  (n) => ['user_agent.original', 'agent/1.0', 'url.full', `https://things.example/v1/things/${n}`, 'user.id', `user-${n % 9}`],
]

function exceptionAt(timeUnixNano: bigint) {
  const attributes = texts(
    'exception.type',
    'NotFound',
    'exception.message',
    'not found',
    'exception.stacktrace',
    'at find (things.js:1:2)\n'.repeat(9),
  )
  return { timeUnixNano, name: 'exception', attributes, droppedAttributesCount: 0 }
}

function texts(...keysAndValues: string[]): OtlpAttributes {
  const attributes: OtlpAttributes = new Map()
  for (let n = 0; n < keysAndValues.length; n += 2) attributes.set(keysAndValues[n]!, keysAndValues[n + 1]!)
  return attributes
}

function idOf(n: number, bytes: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, at) => (Math.imul(n + 1, 0x9e3779b1) >>> ((at % 4) * 8)) & 0xff)
}
