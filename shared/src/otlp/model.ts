/**
 * OTLP trace data after decoding: the words of opentelemetry-proto, nothing derived.
 * Ids are bytes, times are unsigned 64-bit nanoseconds since the epoch (0 = unknown), as on the wire.
 */

/**
 * A decoded AnyValue. `null` is the empty value (`{}` on the wire: valid, not the same as an absent attribute).
 * An integer beyond ±2^53 is a bigint, any other number a number; a kvlist is a Map, so `__proto__` is only data.
 */
export type OtlpValue = null | string | boolean | number | bigint | Uint8Array | OtlpValue[] | Map<string, OtlpValue>

/** In wire order; a duplicate key's last value wins, as documented. */
export type OtlpAttributes = Map<string, OtlpValue>

export interface OtlpResource {
  attributes: OtlpAttributes
  droppedAttributesCount: number
  schemaUrl: string
}

export interface OtlpScope {
  name: string
  version: string
  attributes: OtlpAttributes
  droppedAttributesCount: number
  schemaUrl: string
}

export interface OtlpEvent {
  timeUnixNano: bigint
  name: string
  attributes: OtlpAttributes
  droppedAttributesCount: number
}

export interface OtlpLink {
  traceId: Uint8Array
  spanId: Uint8Array
  traceState: string
  attributes: OtlpAttributes
  droppedAttributesCount: number
  flags: number
}

export interface OtlpSpan {
  /** 16 bytes. */
  traceId: Uint8Array
  /** 8 bytes. */
  spanId: Uint8Array
  /** 8 bytes, or null for a root; all zero counts as absent. */
  parentSpanId: Uint8Array | null
  traceState: string
  flags: number
  name: string
  /** 0 unspecified, 1 internal, 2 server, 3 client, 4 producer, 5 consumer; others are kept. */
  kind: number
  startUnixNano: bigint
  /** 0n: the span had not ended when it was sent. */
  endUnixNano: bigint
  attributes: OtlpAttributes
  droppedAttributesCount: number
  events: OtlpEvent[]
  droppedEventsCount: number
  links: OtlpLink[]
  droppedLinksCount: number
  /** 0 unset, 1 ok, 2 error. */
  status: { code: number; message: string }
  /** The log record that stands here in the place of a span, see log-as-span; spans have none. */
  log?: OtlpLog
}

/** A log record. */
export interface OtlpLog {
  /** As sent, of any length: a record need not belong to a trace or a span. */
  traceId: Uint8Array
  spanId: Uint8Array
  flags: number
  timeUnixNano: bigint
  observedTimeUnixNano: bigint
  /** 0 unspecified, 1–4 trace, 5–8 debug, 9–12 info, 13–16 warn, 17–20 error, 21–24 fatal; others are kept. */
  severityNumber: number
  severityText: string
  eventName: string
  body: OtlpValue
  attributes: OtlpAttributes
  droppedAttributesCount: number
}

/** What a record was sent under; both objects are shared between the records of one envelope. */
export interface Envelope {
  resource: OtlpResource
  scope: OtlpScope
}

export interface SpanInContext extends Envelope {
  span: OtlpSpan
}

export interface LogInContext extends Envelope {
  log: OtlpLog
}
