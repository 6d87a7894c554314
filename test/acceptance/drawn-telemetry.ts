import { hexDigits, intBetween, mulberry32, pick, type Random, shuffled } from '../demo/random.ts'
import { attributes, type SpanJson, type TraceRequestJson } from '../harness/otlp-json.ts'
import { encodeTraceRequest } from '../harness/otlp-protobuf.ts'

/** A span with the process that sends it. */
export interface SentSpan {
  resource: Record<string, string>
  span: SpanJson
}

const REGIONS = ['eu', 'us', 'ap'] as const
const VERSIONS = ['1.4.0', '1.5.0'] as const
const TOOLS = ['lookup', 'refund', 'search'] as const
/** Two versions that begin in the same minute cannot be told apart by time: these begin minutes apart. */
const TRACE_MS = 2_400
const STEP_MS = 20

interface Drawing {
  random: Random
  traceId: string
  startMs: number
  region: string
  version: string
  spans: SentSpan[]
}

/** Traces of a small shop and an agent, some of them failing: errors that bubble up, exceptions, timeouts, repeated tool calls. */
export function drawTraces(seed: number, count: number, baseMs: number): SentSpan[][] {
  const random = mulberry32(seed)
  return Array.from({ length: count }, (_, n) => {
    const drawing = {
      random,
      traceId: hexDigits(random, 32),
      startMs: baseMs + n * TRACE_MS + intBetween(random, 0, TRACE_MS),
      region: pick(random, REGIONS),
      // The second version ships when a third of the traces are through.
      version: pick(random, n < count / 3 ? VERSIONS.slice(0, 1) : VERSIONS),
      spans: [],
    }
    if (random() < 0.35) drawAgentRun(drawing, n)
    else drawOrder(drawing)
    return drawing.spans
  })
}

function add(
  drawing: Drawing,
  service: string,
  given: Partial<SpanJson> & { name: string },
  said: Record<string, string | number> = {},
): string {
  const { random, traceId, startMs, region, version, spans } = drawing
  const spanId = hexDigits(random, 16)
  const start = BigInt(startMs + spans.length * STEP_MS) * 1_000_000n
  const span = {
    traceId,
    spanId,
    kind: 1,
    startTimeUnixNano: String(start),
    endTimeUnixNano: String(start + 15_000_000n),
    ...given,
    attributes: attributes(said),
  }
  spans.push({ resource: { 'service.name': service, 'service.version': version, 'cloud.region': region }, span })
  return spanId
}

function drawOrder(drawing: Drawing): void {
  const { random, region, version } = drawing
  const isDown = region === 'eu' && version === '1.5.0' && random() < 0.7
  const isOdd = random() < 0.08
  const message = `connect to stock-${intBetween(random, 1, 99)} timed out after ${intBetween(random, 100, 900)} ms`
  const failed = isDown ? { status: { code: 2, message } } : {}
  const user = { 'user.id': `u-${intBetween(random, 1, 30)}` }
  const route = { 'http.request.method': 'POST', 'http.route': '/orders', 'http.response.status_code': isDown ? 500 : 200 }
  const web = add(drawing, 'web', { name: 'POST /orders', kind: 2, ...failed }, { ...route, ...user })
  const shop = add(drawing, 'shop', { name: 'place order', parentSpanId: web, ...failed }, { cart: hexDigits(random, 8) })
  const query = { 'db.system.name': 'postgresql', 'db.operation.name': 'SELECT', 'db.collection.name': 'stock' }
  add(drawing, 'stock', { name: 'SELECT stock', kind: 3, parentSpanId: shop, ...failed }, query)
  const stack = `TypeError: no price\n    at price (/app/src/price.js:${intBetween(random, 1, 90)}:7)\n    at order (/app/src/order.js:4:1)`
  const thrown = { 'exception.type': 'TypeError', 'exception.message': 'no price', 'exception.stacktrace': stack }
  const odd = isOdd
    ? {
        status: { code: 2, message: 'no price' },
        events: [{ name: 'exception', timeUnixNano: '1', attributes: attributes(thrown) }],
      }
    : {}
  add(drawing, 'shop', { name: 'price order', parentSpanId: shop, ...odd }, { 'code.function.name': 'price' })
}

function drawAgentRun(drawing: Drawing, n: number): void {
  const { random } = drawing
  const agent = {
    'gen_ai.agent.name': 'desk',
    'gen_ai.conversation.id': `talk-${Math.floor(n / 4)}`,
    'gen_ai.operation.name': 'invoke_agent',
  }
  const run = add(drawing, 'desk', { name: 'invoke_agent desk' }, { ...agent, 'user.id': `u-${intBetween(random, 1, 30)}` })
  const chat = {
    'gen_ai.operation.name': 'chat',
    'gen_ai.request.model': 'atlas',
    'gen_ai.usage.input_tokens': intBetween(random, 50, 900),
  }
  const limited = random() < 0.15
  const refused = limited
    ? { status: { code: 2, message: `Rate limit reached, try again in ${intBetween(random, 1, 60)} s` } }
    : {}
  add(
    drawing,
    'desk',
    { name: 'chat atlas', kind: 3, parentSpanId: run, ...refused },
    { ...chat, ...(limited && { 'http.response.status_code': 429 }) },
  )
  const tool = pick(random, TOOLS)
  const called = { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': tool }
  const given = { 'gen_ai.tool.call.arguments': JSON.stringify({ order: intBetween(random, 1, 1e6) }) }
  const repeats = random() < 0.1 ? 5 : 1
  for (let call = 0; call < repeats; call++) {
    const fails = tool === 'refund' && random() < 0.5
    const status = fails
      ? { status: { code: 2, message: `refund of order ${intBetween(random, 1, 1e6)} exceeds its amount` } }
      : {}
    const result: Record<string, string> = fails ? {} : { 'gen_ai.tool.call.result': 'nothing was found' }
    add(drawing, 'desk', { name: `execute_tool ${tool}`, parentSpanId: run, ...status }, { ...called, ...given, ...result })
  }
}

/** One way in which the same spans reach the collector. */
export interface Delivery {
  name: string
  /** Bodies in the order in which they are sent; null: what was sent is decided, or the collector starts again, before the next. */
  steps(traces: readonly SentSpan[][], random: Random): (SentSpan[] | 'decide' | 'restart')[]
  encoding(random: Random): 'json' | 'protobuf'
}

export const DELIVERIES: readonly Delivery[] = [
  { name: 'a JSON body a trace', steps: (traces) => [...traces], encoding: () => 'json' },
  {
    name: 'one protobuf body of everything, shuffled',
    steps: (traces, random) => [shuffled(random, traces.flat())],
    encoding: () => 'protobuf',
  },
  {
    name: 'shuffled spans in bodies of any size and encoding, with a restart in between',
    steps: (traces, random) => {
      const bodies = bodiesOf(shuffled(random, traces.flat()), random)
      return [...bodies.slice(0, bodies.length / 2), 'restart', ...bodies.slice(bodies.length / 2)]
    },
    encoding: (random) => pick(random, ['json', 'protobuf']),
  },
  {
    name: 'parents first, decided, then their children, all of it sent twice',
    steps: (traces, random) => {
      const halves = [traces.flatMap((spans) => spans.slice(0, 2)), traces.flatMap((spans) => spans.slice(2))]
      const [first, second] = halves.map((half) => bodiesOf(shuffled(random, half), random)) as [SentSpan[][], SentSpan[][]]
      return [...first, 'decide', ...second, ...first, ...shuffled(random, second)]
    },
    encoding: () => 'protobuf',
  },
]

function bodiesOf(spans: SentSpan[], random: Random): SentSpan[][] {
  const bodies: SentSpan[][] = []
  for (let at = 0; at < spans.length; ) {
    const size = intBetween(random, 1, 40)
    bodies.push(spans.slice(at, at + size))
    at += size
  }
  return bodies
}

/** A body as it goes over the wire, each process with its own resource. */
export function bodyOf(spans: readonly SentSpan[], encoding: 'json' | 'protobuf'): TraceRequestJson | Uint8Array {
  const byResource = Map.groupBy(spans, ({ resource }) => JSON.stringify(resource))
  const resourceSpans = [...byResource.values()].map((ofResource) => ({
    resource: { attributes: attributes(ofResource[0]!.resource) },
    scopeSpans: [{ spans: ofResource.map(({ span }) => span) }],
  }))
  return encoding === 'json' ? { resourceSpans } : encodeTraceRequest({ resourceSpans })
}
