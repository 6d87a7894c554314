import type { OtlpAttributes, OtlpEvent, OtlpValue, SpanInContext } from '../../otlp/model.ts'
import type { SpanView } from '../record.ts'

/** A span of one dialect as its instrumentation would send it, and the whole view it must give. */
export interface SpanFixture {
  /** A guarantee in words: the name of the test. */
  guarantee: string
  sent: SentSpan
  view: SpanView
}

export interface SentSpan {
  name: string
  /** As in OTLP: 1 internal (the default), 2 server, 3 client, 4 producer, 5 consumer. */
  kind?: number
  attributes?: Record<string, OtlpValue>
  resource?: Record<string, OtlpValue>
  events?: { name: string; attributes: Record<string, OtlpValue> }[]
}

/** The span with everything around it that OTLP requires and the fixture does not care about. */
export function contextOf(sent: SentSpan): SpanInContext {
  return {
    resource: { attributes: attributesOf(sent.resource ?? {}), droppedAttributesCount: 0, schemaUrl: '' },
    scope: { name: '', version: '', attributes: new Map(), droppedAttributesCount: 0, schemaUrl: '' },
    span: {
      traceId: new Uint8Array(16).fill(7),
      spanId: new Uint8Array(8).fill(9),
      parentSpanId: null,
      traceState: '',
      flags: 0,
      name: sent.name,
      kind: sent.kind ?? 1,
      startUnixNano: 1_781_856_000_000_000_000n,
      endUnixNano: 1_781_856_000_250_000_000n,
      attributes: attributesOf(sent.attributes ?? {}),
      droppedAttributesCount: 0,
      events: (sent.events ?? []).map(eventOf),
      droppedEventsCount: 0,
      links: [],
      droppedLinksCount: 0,
      status: { code: 0, message: '' },
    },
  }
}

/** The view with the given fields, every other one unknown. */
export function viewWith(known: Partial<SpanView> & Pick<SpanView, 'kind' | 'operation' | 'derived_from'>): SpanView {
  return {
    service: 'unknown_service',
    agent: null,
    tool: null,
    model: null,
    provider: null,
    tokens: tokensWith({}),
    cost_usd: null,
    user: null,
    release: null,
    environment: null,
    session: null,
    finish_reasons: [],
    ...known,
  }
}

export function tokensWith(known: Partial<SpanView['tokens']>): SpanView['tokens'] {
  return { input: null, output: null, total: null, cache_read: null, cache_creation: null, reasoning: null, ...known }
}

function attributesOf(record: Record<string, OtlpValue>): OtlpAttributes {
  return new Map(Object.entries(record))
}

function eventOf(event: { name: string; attributes: Record<string, OtlpValue> }): OtlpEvent {
  return {
    timeUnixNano: 1_781_856_000_100_000_000n,
    name: event.name,
    attributes: attributesOf(event.attributes),
    droppedAttributesCount: 0,
  }
}
