import { hexDigits, intBetween, mulberry32, pick, type Random } from '../demo/random.ts'
import { attributes, type SpanJson, spanJson, type TraceRequestJson } from '../harness/otlp-json.ts'

type Values = Record<string, string | number | boolean>

/** Share of traces whose last span failed. */
const FAILING_SHARE = 0.05
const SPANS_PER_TRACE = 8
const KIND = { internal: 1, server: 2, client: 3 } as const

/** Requests of some `batch` spans each: web, database and model spans in traces of eight, a few of them failing. Seeded. */
export function generateMix(seed: number, bodies: number, batch: number): TraceRequestJson[] {
  const random = mulberry32(seed)
  return Array.from({ length: bodies }, () => {
    const traces = Array.from({ length: Math.ceil(batch / SPANS_PER_TRACE) }, () => generateTrace(random))
    return {
      resourceSpans: ['shop-web', 'shop-api', 'agent'].map((service, at) => ({
        resource: {
          attributes: attributes({
            'service.name': service,
            'service.version': '1.4.2',
            'host.name': `host-${at}`,
            'process.pid': 4711,
          }),
        },
        scopeSpans: [
          { scope: { name: `instrumentation-${service}`, version: '0.9.0' }, spans: traces.flatMap((trace) => trace[at] ?? []) },
        ],
      })),
    }
  })
}

/** The spans of one trace, by service. */
function generateTrace(random: Random): SpanJson[][] {
  const traceId = hexDigits(random, 32)
  const failing = random() < FAILING_SHARE
  const make = (name: string, kind: number, parentSpanId: string | undefined, values: Values): SpanJson =>
    spanJson({ traceId, spanId: hexDigits(random, 16), parentSpanId, name, kind, attributes: attributes(values) })
  const route = pick(random, ['/products/{id}', '/cart', '/checkout', '/search'])
  const http = {
    'http.request.method': 'GET',
    'http.route': route,
    'url.path': `${route}/${intBetween(random, 1, 9999)}`,
    'http.response.status_code': 200,
  }
  const page = make('page', KIND.internal, undefined, { 'user.id': `u-${intBetween(random, 1, 5000)}`, 'page.name': route })
  const call = make(`GET ${route}`, KIND.client, page.spanId, {
    ...http,
    'server.address': 'shop-api.internal',
    'server.port': 8080,
  })
  const served = make(`GET ${route}`, KIND.server, call.spanId, {
    ...http,
    'client.address': `10.0.0.${intBetween(random, 1, 254)}`,
  })
  const queries = ['SELECT stock', 'UPDATE stock', 'SELECT price'].map((name) =>
    make(name, KIND.client, served.spanId, {
      'db.system.name': 'postgresql',
      'db.query.text': `${name} WHERE id = $1`,
      'db.collection.name': name.slice(7),
    }),
  )
  const chat = make('chat atlas', KIND.client, served.spanId, {
    'gen_ai.operation.name': 'chat',
    'gen_ai.request.model': 'atlas',
    'gen_ai.usage.input_tokens': intBetween(random, 100, 3000),
    'gen_ai.usage.output_tokens': intBetween(random, 10, 400),
    'gen_ai.conversation.id': `conv-${intBetween(random, 1, 2000)}`,
  })
  const tool = make('execute_tool lookup', KIND.internal, chat.spanId, {
    'gen_ai.operation.name': 'execute_tool',
    'gen_ai.tool.name': 'lookup',
  })
  if (failing) tool.status = { code: 2, message: `lookup of order ${intBetween(random, 1, 9999)} failed` }
  return [
    [page, call],
    [served, ...queries],
    [chat, tool],
  ]
}
