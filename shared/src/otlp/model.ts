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
}

/** A span with what it was sent under. `resource` and `scope` are shared between the spans of one envelope. */
export interface SpanInContext {
  resource: OtlpResource
  scope: OtlpScope
  span: OtlpSpan
}
