import { createHash } from 'node:crypto'
import { type AnyValueJson, attributes, type KeyValueJson, type SpanJson, type TraceRequestJson } from '../harness/otlp-json.ts'

const TRACES = 20
const SPANS_PER_TRACE = 10
const STEP_NS = 1_000_037n
const UNICODE = 'Grüße, 東京 — 🧪 café (e\u0301), עברית, line\nbreak\ttab "quote" \\ back'

export interface PlanLimits {
  /**
   * Nothing that a JavaScript SDK cannot hold: no integer beyond ±2^53, no double without a fraction, no key `__proto__`,
   * and only the simple kinds of values but for attributes of spans.
   */
  javaScript: boolean
}

/**
 * 200 spans of one service that use all the data model has: every kind of value at every place that takes attributes,
 * events, links, states, kinds, other scripts. An SDK that sends the plan must make the product show exactly the plan.
 */
export function planSpans(seed: string, { javaScript }: PlanLimits): TraceRequestJson {
  const nowNano = BigInt(Date.now()) * 1_000_000n
  const spans = Array.from({ length: TRACES * SPANS_PER_TRACE }, (_, at) => planSpan(seed, at, nowNano, javaScript))
  const resource = [
    ...attributes({ 'service.name': `interop-${seed}`, 'service.version': '1.2.3', 'host.note': UNICODE }),
    list('process.arguments', [text('--flag'), text('ü')]),
    ...(javaScript
      ? []
      : [
          map('deployment', [
            ...attributes({ region: 'eu-1', replicas: 3 }),
            map('zone', [...attributes({ name: 'a' }), list('racks', [integer(1), integer(2)])]),
          ]),
        ]),
  ]
  return {
    resourceSpans: [
      { resource: { attributes: resource }, scopeSpans: [{ scope: { name: 'interop.scope', version: '0.9' }, spans }] },
    ],
  }
}

export const spansPlanned = TRACES * SPANS_PER_TRACE

function planSpan(seed: string, at: number, nowNano: bigint, javaScript: boolean): SpanJson {
  const inTrace = at % SPANS_PER_TRACE
  const traceId = digest(`${seed} trace ${Math.floor(at / SPANS_PER_TRACE)}`, 32)
  const parent = inTrace === 0 ? null : at - inTrace + Math.floor((inTrace - 1) / 2)
  const startNano = nowNano + BigInt(at) * STEP_NS
  return {
    traceId,
    spanId: spanIdOf(seed, at),
    ...(parent !== null && { parentSpanId: spanIdOf(seed, parent), traceState: 'vendor=opaque,ot=th:0' }),
    name: inTrace % 3 === 0 ? `${UNICODE} ${at}` : `step ${at}`,
    kind: 1 + (at % 5),
    startTimeUnixNano: String(startNano),
    endTimeUnixNano: String(startNano + STEP_NS),
    attributes: [{ key: 'at', value: integer(at) }, ...everyValue(javaScript)],
    events: inTrace % 2 === 0 ? planEvents(startNano, javaScript) : [],
    links: inTrace % 4 === 1 ? planLinks(seed, at, javaScript) : [],
    status: planStatus(at),
  }
}

/** Values of the simple kinds, which every SDK takes at every place. */
function simpleValues(): KeyValueJson[] {
  return [
    ...attributes({ text: UNICODE, 'text.empty': '', yes: true, no: false, 'integer.negative': -7, half: 0.5, tiny: 5e-324 }),
    { key: 'integer.zero', value: integer(0) },
    { key: 'integer.safe', value: integer(Number.MAX_SAFE_INTEGER) },
    list('texts', [text('a'), text(''), text('ß')]),
    list('integers', [integer(1), integer(-2)]),
    list('halves', [{ doubleValue: 0.5 }, { doubleValue: -1.25 }]),
    list('flags', [{ boolValue: true }, { boolValue: false }]),
    list('nothing', []),
  ]
}

function everyValue(javaScript: boolean): KeyValueJson[] {
  return [
    ...simpleValues(),
    list('mixed', [text('a'), integer(1), { boolValue: false }, { arrayValue: { values: [text('deep')] } }]),
    { key: 'bytes', value: { bytesValue: 'AAH+/w==' } },
    map('map', [...attributes({ inner: 'x' }), map('deeper', [list('list', [integer(3)])])]),
    ...(javaScript
      ? []
      : [
          { key: 'integer.min', value: { intValue: '-9223372036854775808' } },
          { key: 'integer.max', value: { intValue: '9223372036854775807' } },
          { key: 'large', value: { doubleValue: 1.7976931348623157e308 } },
          { key: '__proto__', value: text('only a key') },
        ]),
  ]
}

function planEvents(startNano: bigint, javaScript: boolean): SpanJson['events'] {
  return [
    {
      name: 'exception',
      timeUnixNano: String(startNano + 11n),
      attributes: attributes({ 'exception.type': 'Überlauf', 'exception.message': UNICODE, 'exception.stacktrace': 'a\n  at b' }),
    },
    { name: 'detail', timeUnixNano: String(startNano + 13n), attributes: javaScript ? simpleValues() : everyValue(false) },
    { name: 'bare', timeUnixNano: String(startNano + 17n), attributes: [] },
  ]
}

function planLinks(seed: string, at: number, javaScript: boolean): SpanJson['links'] {
  return [
    {
      traceId: digest(`${seed} linked ${at}`, 32),
      spanId: spanIdOf(seed, at + 1000),
      traceState: 'other=1',
      attributes: javaScript ? simpleValues() : everyValue(false),
    },
    { traceId: digest(`${seed} linked too ${at}`, 32), spanId: spanIdOf(seed, at + 2000), attributes: [] },
  ]
}

function planStatus(at: number): SpanJson['status'] {
  if (at % 7 === 3) return { code: 2, message: `failed: ${UNICODE}` }
  return at % 7 === 5 ? { code: 1 } : {}
}

const text = (stringValue: string): AnyValueJson => ({ stringValue })
const integer = (value: number): AnyValueJson => ({ intValue: String(value) })
const list = (key: string, values: AnyValueJson[]): KeyValueJson => ({ key, value: { arrayValue: { values } } })
const map = (key: string, values: KeyValueJson[]): KeyValueJson => ({ key, value: { kvlistValue: { values } } })
const spanIdOf = (seed: string, at: number): string => digest(`${seed} span ${at}`, 16)
const digest = (input: string, digits: number): string => createHash('sha256').update(input).digest('hex').slice(0, digits)
