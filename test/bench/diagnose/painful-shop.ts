import { hexDigits, intBetween, mulberry32, pick, type Random } from '../../demo/random.ts'
import { attributes, type SpanJson, spanJson, type TraceRequestJson } from '../../harness/otlp-json.ts'

/** Distinct failures of the shop: each with a place, a type and words of its own. */
export const SHOP_PAINS = 300
/** One body holds spans enough for a whole segment, as joining leaves them. */
export const SHOP_TRACES = 430
const SPANS_PER_TRACE = 8

const OPERATIONS = 60
const KIND = { internal: 1, server: 2, client: 3 } as const
const RELEASES = ['3.8.1', '3.9.0', '3.9.1']
/** Share of traces with a failure, and of those that name their session and user. */
const FAILING_SHARE = 0.1
const SESSION_SHARE = 0.1
const ERROR_TYPES = 25
const CERTAIN_PAINS = 8

type Values = Record<string, string | number | boolean>
type Owned = { service: number; release: string; span: SpanJson }

/** A body of traces of eight spans through three services; the pains are met as unevenly as in life: a few make most failures. Seeded. */
export function painfulShop(seed: number): TraceRequestJson {
  const random = mulberry32(seed)
  // Each body brings some pains for sure, so that all of them are met in some bodies.
  const certain = Array.from({ length: SHOP_TRACES }, (_, at) =>
    at < CERTAIN_PAINS ? (seed * CERTAIN_PAINS + at) % SHOP_PAINS : null,
  )
  const owned = certain.flatMap((pain) => makeTrace(random, pain))
  const byResource = Map.groupBy(owned, ({ service, release }) => `${service} ${release}`)
  return {
    resourceSpans: [...byResource.values()].map((own) => ({
      resource: {
        attributes: attributes({
          'service.name': nameOfService(own[0]!.service),
          'service.version': own[0]!.release,
          'host.name': `host-${own[0]!.service}`,
        }),
      },
      scopeSpans: [{ scope: { name: 'shop', version: '1.0.0' }, spans: own.map(({ span }) => span) }],
    })),
  }
}

export const SHOP_SPANS = SHOP_TRACES * SPANS_PER_TRACE

function makeTrace(random: Random, certain: number | null): Owned[] {
  const traceId = hexDigits(random, 32)
  const pain = certain ?? (random() < FAILING_SHARE ? pickPain(random) : null)
  const operation = pain === null ? intBetween(random, 0, OPERATIONS - 1) : pain % OPERATIONS
  const release = pick(random, RELEASES)
  const session: Values =
    random() < SESSION_SHARE
      ? { 'session.id': `visit-${intBetween(random, 1, 3000)}`, 'user.id': `u-${intBetween(random, 1, 900)}` }
      : {}
  const spans: Owned[] = []
  const make = (service: number, name: string, kind: number, parent: SpanJson | undefined, values: Values): SpanJson => {
    const startNano = 1_781_856_000_000_000_000n + BigInt(intBetween(random, 0, 20_000_000))
    const took = BigInt(Math.round(1_000_000 * Math.exp(2 + 0.6 * normal(random))))
    const span = spanJson({
      ...{ traceId, spanId: hexDigits(random, 16), parentSpanId: parent?.spanId, name, kind, attributes: attributes(values) },
      startTimeUnixNano: String(startNano),
      endTimeUnixNano: String(startNano + took),
    })
    spans.push({ service, release, span })
    return span
  }
  const route = `/shop/${letters(operation)}/{id}`
  const web = (status: number): Values => ({
    ...{
      'http.request.method': 'GET',
      'http.route': route,
      'url.path': route.replace('{id}', String(intBetween(random, 1, 99_999))),
    },
    'http.response.status_code': status,
  })
  const root = make(operation % 4, `GET ${route}`, KIND.server, undefined, { ...web(200), ...session })
  const inner = 4 + (operation % 4)
  const call = make(operation % 4, `GET ${route}`, KIND.client, root, { ...web(200), 'server.address': nameOfService(inner) })
  const served = make(inner, `GET ${route}`, KIND.server, call, { ...web(200), 'cloud.region': pick(random, ['eu', 'us', 'ap']) })
  const data = 8 + (operation % 4)
  const work = make(data, `work ${letters(operation)}`, KIND.internal, served, {
    'flag.variant': pick(random, ['a', 'b']),
    shard: intBetween(random, 1, 16),
  })
  for (const name of ['SELECT stock', 'UPDATE stock', 'SELECT price', 'INSERT order']) {
    make(data, name, KIND.client, work, {
      ...{ 'db.system.name': 'postgresql', 'db.operation.name': name.split(' ')[0]!, 'db.collection.name': name.slice(7) },
      'db.query.text': `${name} WHERE id = $1`,
    })
  }
  if (pain !== null) fail(random, pain, { work, above: [served, call, root] })
  return spans
}

/** Zipf's law: the first pain is met 300 times as often as the last. */
function pickPain(random: Random): number {
  return Math.min(SHOP_PAINS, Math.floor((SHOP_PAINS + 1) ** random())) - 1
}

function fail(random: Random, pain: number, { work, above }: { work: SpanJson; above: SpanJson[] }): void {
  const type = `${letters(pain % ERROR_TYPES)}Error`
  const message = `stage ${letters(pain)} refused order ${intBetween(random, 1, 99_999)}`
  work.status = { code: 2, message }
  work.events = [
    {
      timeUnixNano: work.endTimeUnixNano,
      name: 'exception',
      attributes: attributes({
        'exception.type': type,
        'exception.message': message,
        ...(pain % 2 === 0 && { 'exception.stacktrace': stackOf(pain, type, message) }),
      }),
    },
  ]
  for (const span of above) span.status = { code: 2, message }
}

function stackOf(pain: number, type: string, message: string): string {
  const frames = Array.from(
    { length: 6 },
    (_, deep) => `    at ${letters(pain + deep)} (/srv/shop/src/${letters(deep)}.js:${10 + deep}:7)`,
  )
  return [`${type}: ${message}`, ...frames].join('\n')
}

const nameOfService = (service: number) => `shop-${letters(service)}`

/** A word for a number: digits would be taken out of a template. */
function letters(number: number): string {
  const syllables = ['ba', 'ce', 'di', 'fo', 'gu', 'ha', 'je', 'ki', 'lo', 'mu']
  return String(number + 100)
    .split('')
    .map((digit) => syllables[Number(digit)])
    .join('')
}

/** Box and Muller. */
function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}
