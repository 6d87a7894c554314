import { describe, expect, test } from '@jest/globals'
import { fastestMs, isLinear } from './cost.fixture.ts'
import { DETECTION_KEYS, detect } from './detect.ts'
import type { SignalType } from './signal-type.ts'
import { CLIENT, ERROR, OK, SERVER, type SpanSketch, sketchSpan, sketchView } from './trace.fixture.ts'

const NOTHING_OFF: ReadonlySet<SignalType> = new Set()

function detectIn(sketch: SpanSketch, off = NOTHING_OFF) {
  return detect(sketchSpan(sketch), sketchView(sketch.view), off)
}

const failing: [guarantee: string, signal: SignalType, sketch: SpanSketch][] = [
  ['an error status alone is an error status', 'error_status', { status: ERROR, message: 'tool failed' }],
  [
    'a recorded exception with an error status is an exception',
    'exception',
    { status: ERROR, exception: ['ValueError', 'bad input'] },
  ],
  ['an exception without any status is a failure', 'exception', { exception: ['ValueError', 'bad input'] }],
  [
    'a failing tool is a tool failure',
    'tool_failure',
    { status: ERROR, exception: ['TypeError', 'bad call'], view: { kind: 'tool' } },
  ],
  [
    'isError in the JSON result of a tool with status OK',
    'tool_failure',
    {
      status: OK,
      attributes: { 'gen_ai.tool.call.result': '{"content":[{"type":"text","text":"no such file"}],"isError":true}' },
      view: { kind: 'tool' },
    },
  ],
  [
    'isError inside a JSON-RPC answer',
    'tool_failure',
    { attributes: { 'output.value': '{"jsonrpc":"2.0","result":{"isError":true}}' }, view: { kind: 'tool' } },
  ],
  [
    'isError in a decoded result',
    'tool_failure',
    { attributes: { 'mcp.result': new Map([['isError', true]]) }, view: { kind: 'tool' } },
  ],
  [
    'isError in the printed result of the Python SDK',
    'tool_failure',
    {
      attributes: { 'output.value': "meta=None content=[TextContent(type='text', text='gone')] isError=True" },
      view: { kind: 'tool' },
    },
  ],
  [
    'error.type tool_error beats an OK status',
    'tool_failure',
    { status: OK, attributes: { 'error.type': 'tool_error' }, view: { kind: 'tool' } },
  ],
  [
    'arguments that do not fit the model of a tool',
    'invalid_tool_arguments',
    {
      status: ERROR,
      exception: ['ValidationError', '1 validation error for SearchDocsInput\nquery\n  Field required [type=missing]'],
      view: { kind: 'tool', tool: 'search_docs' },
    },
  ],
  [
    'a tool whose own data do not fit their model failed by itself',
    'tool_failure',
    {
      status: ERROR,
      exception: ['ValidationError', '1 validation error for OrderAnswer\nid\n  Field required [type=missing]'],
      view: { kind: 'tool', tool: 'search_docs' },
    },
  ],
  [
    'a failing model call is a model error',
    'llm_error',
    { status: ERROR, message: 'context length exceeded', view: { kind: 'chat' } },
  ],
  [
    'a status that stands in error.type alone is the status',
    'rate_limited',
    { kind: CLIENT, status: ERROR, attributes: { 'error.type': '429' }, view: { kind: 'chat' } },
  ],
  [
    'a model call refused with 429 is rate limited',
    'rate_limited',
    { kind: CLIENT, attributes: { 'http.response.status_code': 429 }, view: { kind: 'chat' } },
  ],
  [
    'a provider names its rate limit in words',
    'rate_limited',
    { status: ERROR, exception: ['litellm.exceptions.RateLimitError', 'try later'], view: { kind: 'chat' } },
  ],
  [
    'an overloaded provider is a rate limit',
    'rate_limited',
    { status: ERROR, message: 'InternalServerError: {"type":"overloaded_error"}', view: { kind: 'chat' } },
  ],
  [
    'gRPC RESOURCE_EXHAUSTED is a rate limit',
    'rate_limited',
    { kind: CLIENT, attributes: { 'rpc.grpc.status_code': 8 }, view: { kind: 'rpc' } },
  ],
  [
    'a client refused with 401',
    'auth_failure',
    { kind: CLIENT, attributes: { 'http.status_code': '401' }, view: { kind: 'http' } },
  ],
  [
    'a wrong password at the database',
    'auth_failure',
    { kind: CLIENT, status: ERROR, attributes: { 'db.response.status_code': '28P01' }, view: { kind: 'database' } },
  ],
  [
    'an invalid key in words',
    'auth_failure',
    { status: ERROR, message: 'Incorrect API key provided: sk-***', view: { kind: 'chat' } },
  ],
  [
    'a client that got 504',
    'timeout',
    { kind: CLIENT, status: ERROR, attributes: { 'http.response.status_code': 504 }, view: { kind: 'http' } },
  ],
  [
    'a deadline exceeded',
    'timeout',
    { kind: CLIENT, status: ERROR, attributes: { 'rpc.grpc.status_code': 4 }, view: { kind: 'rpc' } },
  ],
  [
    'a timeout named by error.type',
    'timeout',
    { kind: CLIENT, status: ERROR, attributes: { 'error.type': 'timeout' }, view: { kind: 'http' } },
  ],
  [
    'a cancelled statement',
    'timeout',
    { kind: CLIENT, status: ERROR, attributes: { 'db.response.status_code': '57014' }, view: { kind: 'database' } },
  ],
  [
    'a tool that timed out is a timeout before it is a tool failure',
    'timeout',
    { status: ERROR, message: 'request timed out after 30s', view: { kind: 'tool' } },
  ],
  [
    'a refused connection of a client',
    'dependency_failure',
    { kind: CLIENT, status: ERROR, exception: ['Error', 'connect ECONNREFUSED 10.0.0.1:5432'], view: { kind: 'database' } },
  ],
  [
    'a callee that answers 503',
    'dependency_failure',
    { kind: CLIENT, status: ERROR, attributes: { 'http.response.status_code': 503 }, view: { kind: 'http' } },
  ],
  [
    'a callee that answers 500 to a proxy that sets no status',
    'dependency_failure',
    { kind: CLIENT, attributes: { 'http.status_code': '500' }, view: { kind: 'http' } },
  ],
  [
    'a callee that is UNAVAILABLE',
    'dependency_failure',
    { kind: CLIENT, status: ERROR, attributes: { 'rpc.response.status_code': 'UNAVAILABLE' }, view: { kind: 'rpc' } },
  ],
  ['a call that fails without a word', 'dependency_failure', { kind: CLIENT, status: ERROR, view: { kind: 'messaging' } }],
  [
    'a violated constraint is not the database being away',
    'error_status',
    {
      kind: CLIENT,
      status: ERROR,
      message: 'duplicate key',
      attributes: { 'db.response.status_code': '23505' },
      view: { kind: 'database' },
    },
  ],
  [
    'a 404 that the client calls an error is no more than that',
    'error_status',
    { kind: CLIENT, status: ERROR, attributes: { 'http.response.status_code': 404 }, view: { kind: 'http' } },
  ],
  [
    'a server that answers 500',
    'error_status',
    { kind: SERVER, attributes: { 'http.response.status_code': 500 }, view: { kind: 'http' } },
  ],
  [
    'a server that says INTERNAL',
    'error_status',
    { kind: SERVER, attributes: { 'rpc.grpc.status_code': 13 }, view: { kind: 'rpc' } },
  ],
  ['the OpenTracing error tag', 'error_status', { attributes: { error: true } }],
]

describe('detects', () => {
  test.each(failing)('%s', (_guarantee, signal, sketch) => {
    expect(detectIn(sketch)).toMatchObject({ signal })
  })
})

const healthy: [guarantee: string, sketch: SpanSketch][] = [
  ['no status, nothing else', {}],
  ['an OK status with a handled exception', { status: OK, exception: ['ValueError', 'retried'] }],
  ['no status and an exception that was said to be caught', { exception: ['ValueError', 'retried'], escaped: 'False' }],
  [
    'a server that answered 200 after an exception',
    { kind: SERVER, exception: ['ValueError', 'x'], attributes: { 'http.response.status_code': 200 }, view: { kind: 'http' } },
  ],
  ['a server that answered 401', { kind: SERVER, attributes: { 'http.response.status_code': 401 }, view: { kind: 'http' } }],
  ['a server that answered 429', { kind: SERVER, attributes: { 'http.response.status_code': 429 }, view: { kind: 'http' } }],
  [
    'a client that got 404 and does not mind',
    { kind: CLIENT, attributes: { 'http.response.status_code': 404 }, view: { kind: 'http' } },
  ],
  ['a gRPC server that said NOT_FOUND', { kind: SERVER, attributes: { 'rpc.grpc.status_code': 5 }, view: { kind: 'rpc' } }],
  [
    'a tool whose result speaks about isError',
    {
      status: OK,
      attributes: { 'output.value': '{"content":"set \\"isError\\": true on failure","isError":false}' },
      view: { kind: 'tool' },
    },
  ],
  [
    'a tool that returns a page about rate limits',
    {
      status: OK,
      attributes: { 'output.value': 'HTTP 429 Too Many Requests means that a rate limit was exceeded' },
      view: { kind: 'tool' },
    },
  ],
  [
    'a tool that returns a nested document with isError',
    { attributes: { 'output.value': '{"rows":[{"isError":true}]}' }, view: { kind: 'tool' } },
  ],
  [
    'a tool result cut in the middle',
    { attributes: { 'output.value': '{"isError":true,"content":[{"te' }, view: { kind: 'tool' } },
  ],
  ['a model call with isError in its prompt', { attributes: { 'output.value': '{"isError":true}' }, view: { kind: 'chat' } }],
]

test.each(healthy)('stays silent: %s', (_guarantee, sketch) => {
  expect(detectIn(sketch)).toBeNull()
})

const wordsThatAreNoSignal: [text: string, signal: SignalType][] = [
  ['invalid timeout value "abc"', 'error_status'],
  ['cannot parse the rate limit configuration', 'error_status'],
  ['no overload matches this overloaded function', 'error_status'],
  ['Invalid or unexpected token', 'error_status'],
  ['permission denied: /etc/shadow', 'error_status'],
]

test.each(wordsThatAreNoSignal)('does not take "%s" for more than %s', (message, signal) => {
  expect(detectIn({ status: ERROR, message })).toMatchObject({ signal })
})

describe('describes', () => {
  test('the exception that the status repeats, with type, message, stack and code', () => {
    const detection = detectIn({
      kind: CLIENT,
      status: ERROR,
      message: 'AxiosError: boom',
      exception: ['AxiosError', 'boom', 'at f (/a.js:1:2)'],
      attributes: { 'http.response.status_code': 503 },
    })
    expect(detection).toMatchObject({
      errorType: 'AxiosError',
      message: 'boom',
      stack: 'at f (/a.js:1:2)',
      code: '503',
      spanKind: CLIENT,
    })
    expect(detection?.because).toContain('503')
  })

  test('the type that only the text names', () => {
    expect(detectIn({ status: ERROR, message: "TypeError: f() got an unexpected keyword argument ''" })).toMatchObject({
      errorType: 'TypeError',
    })
  })

  test('what the tool said went wrong', () => {
    const result = '{"content":[{"type":"text","text":"no such file"}],"isError":true}'
    expect(detectIn({ attributes: { 'gen_ai.tool.call.result': result }, view: { kind: 'tool' } })).toMatchObject({
      message: 'no such file',
    })
  })

  test("the user's own fingerprint", () => {
    expect(detectIn({ status: ERROR, attributes: { 'loopkit.fingerprint': 'checkout' } })).toMatchObject({
      userFingerprint: 'checkout',
    })
  })
})

test('a signal that is off leaves the failure to the next rule, and all off detect nothing', () => {
  const sketch: SpanSketch = { status: ERROR, message: 'rate limit exceeded', view: { kind: 'chat' } }
  expect(detectIn(sketch, new Set(['rate_limited']))).toMatchObject({ signal: 'llm_error' })
  expect(detectIn(sketch, new Set(['rate_limited', 'llm_error', 'error_status']))).toBeNull()
})

test('every key is listed once', () => {
  expect(new Set(DETECTION_KEYS).size).toBe(DETECTION_KEYS.length)
})

test.each(failing)('is the same with its own keys alone: %s', (_guarantee, _signal, sketch) => {
  const noise = { 'url.path': '/x', 'input.value': 'rate limit exceeded', 'log.level': 'error', 'http.request.method': 'GET' }
  const attributes = sketch.attributes ?? {}
  const wanted = Object.fromEntries(Object.entries(attributes).filter(([key]) => DETECTION_KEYS.includes(key)))
  expect(detectIn({ ...sketch, attributes: { ...noise, ...attributes } })).toEqual(detectIn({ ...sketch, attributes: wanted }))
})

test('a healthy span costs less than a microsecond', () => {
  const attributes = {
    'http.request.method': 'GET',
    'http.route': '/orders/:id',
    'http.response.status_code': 200,
    'url.path': '/orders/7',
  }
  const span = sketchSpan({ kind: SERVER, attributes })
  const view = sketchView({ kind: 'http' })
  const rounds = 20_000
  const ms = fastestMs(() => {
    for (let round = 0; round < rounds; round++) detect(span, view, NOTHING_OFF)
  })
  expect((ms * 1_000) / rounds).toBeLessThan(1)
})

test('detecting costs time linear in the text', () => {
  for (const seed of ['rate limit ', 'timeout', 'exceed a ', 'a', '1.', "text='", 'no such ']) {
    const sketch = (times: number): SpanSketch => ({
      status: ERROR,
      exception: [seed.repeat(times), seed.repeat(times), seed.repeat(times)],
      view: { kind: 'tool' },
    })
    const isTwice = isLinear(
      () => detectIn(sketch(2_000)),
      () => detectIn(sketch(4_000)),
    )
    expect(isTwice).toBe(true)
  }
})
