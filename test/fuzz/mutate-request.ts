import type { Random } from '../demo/random.ts'
import type { AnyValueJson, ResourceSpansJson, SpanJson, TraceRequestJson } from '../harness/otlp-json.ts'
import { below, chance, oneOf } from './pick-random.ts'

/** Lengths at which a length takes one byte more, and texts of two to four bytes a character. */
const TEXTS = [0, 1, 127, 128, 129, 2047, 16_383, 16_384]
  .map((length) => 'x'.repeat(length))
  .concat([
    'ü',
    '€uro',
    '😀',
    '\u0000',
    '"\\\n',
    '\u2028',
    '__proto__',
    'constructor',
    'sk-ant-api03-bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb',
  ])
const TIMES = ['0', '1', '9223372036854775807', '9223372036854775808', '18446744073709551615', '1781856000000000000']
const UINT32 = [0, 1, 127, 128, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1]
const SCALARS: readonly AnyValueJson[] = [
  {},
  ...['-9223372036854775808', '9223372036854775807', '9007199254740993', '-1', '0'].map((intValue) => ({ intValue })),
  ...['NaN', 'Infinity', '-Infinity', 0.1, -0.5, 1e300, 5e-324].map((doubleValue) => ({ doubleValue })),
  { boolValue: false },
  { bytesValue: '' },
  { bytesValue: 'AAEC/+4=' },
]

function drawValue(random: Random, depth: number): AnyValueJson {
  const kind = below(random, depth > 3 ? 2 : 5)
  if (kind === 0) return { stringValue: oneOf(random, TEXTS) }
  if (kind === 1) return oneOf(random, SCALARS)
  if (kind === 2) return nested(random, 60 + below(random, 8))
  const values = Array.from({ length: below(random, 4) }, () => drawValue(random, depth + 1))
  if (kind === 3) return { arrayValue: { values } }
  return { kvlistValue: { values: values.map((value) => ({ key: oneOf(random, TEXTS), value })) } }
}

/** Up to and beyond the 64 levels that are kept. */
function nested(random: Random, levels: number): AnyValueJson {
  let value: AnyValueJson = { stringValue: 'deep' }
  const ofLists = chance(random, 0.5)
  for (let level = 1; level < levels; level++)
    value = ofLists ? { arrayValue: { values: [value] } } : { kvlistValue: { values: [{ key: 'k', value }] } }
  return value
}

type ChangeSpan = (random: Random, span: SpanJson, envelope: ResourceSpansJson) => void

const attribute = (random: Random) => ({ key: oneOf(random, TEXTS), value: drawValue(random, 0) })

const SPAN_CHANGES: readonly ChangeSpan[] = [
  (random, span) => {
    span.traceId = oneOf(random, ['', '0'.repeat(32), 'f'.repeat(32)])
  },
  (random, span) => {
    span.spanId = oneOf(random, ['', '0'.repeat(16), 'f'.repeat(16)])
  },
  (random, span) => {
    span.parentSpanId = oneOf(random, ['', '0'.repeat(16), 'e'.repeat(16)])
  },
  (random, span) => {
    span.name = oneOf(random, TEXTS)
  },
  (random, span) => {
    span.startTimeUnixNano = oneOf(random, TIMES)
  },
  (random, span) => {
    span.endTimeUnixNano = oneOf(random, TIMES)
  },
  (random, span) => {
    span.kind = below(random, 8)
    span.flags = oneOf(random, UINT32)
    span.droppedAttributesCount = oneOf(random, UINT32)
    span.droppedEventsCount = oneOf(random, UINT32)
    span.droppedLinksCount = oneOf(random, UINT32)
  },
  (random, span) => {
    span.status = { code: below(random, 4), message: oneOf(random, TEXTS) }
    span.traceState = oneOf(random, TEXTS)
  },
  (random, span) => {
    span.attributes = [...(span.attributes ?? []), attribute(random), attribute(random)]
  },
  (random, span) => {
    const event = { timeUnixNano: oneOf(random, TIMES), name: oneOf(random, TEXTS), attributes: [attribute(random)] }
    span.events = [...(span.events ?? []), event, { name: 'exception' }, {}]
  },
  (random, span) => {
    const link = {
      traceId: 'a'.repeat(32),
      spanId: 'b'.repeat(16),
      attributes: [attribute(random)],
      flags: oneOf(random, UINT32),
    }
    span.links = [...(span.links ?? []), link]
  },
  (random, _span, envelope) => {
    envelope.resource = { attributes: [...(envelope.resource?.attributes ?? []), attribute(random)] }
    envelope.schemaUrl = oneOf(random, TEXTS)
  },
  (random, _span, envelope) => {
    for (const scopeSpans of envelope.scopeSpans)
      scopeSpans.scope = { name: oneOf(random, TEXTS), attributes: [attribute(random)] }
  },
]

/** Another request than the given one, in words that both encodings have for the same thing. */
export function mutateRequest(random: Random, request: TraceRequestJson, freshDigits: string): TraceRequestJson {
  const changed = structuredClone(request)
  for (const { scopeSpans } of changed.resourceSpans)
    for (const { spans } of scopeSpans) for (const span of spans) span.traceId = freshDigits + span.traceId.slice(8)
  for (let change = below(random, 4); change >= 0; change--) {
    const envelope = oneOf(random, changed.resourceSpans)
    const { spans } = oneOf(random, envelope.scopeSpans)
    if (spans.length > 0) oneOf(random, SPAN_CHANGES)(random, oneOf(random, spans), envelope)
  }
  return changed
}
