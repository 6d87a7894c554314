/** OTLP trace data in its JSON encoding, as tests write it and as captures hold it. */
export type AnyValueJson =
  | { stringValue: string }
  | { boolValue: boolean }
  | { intValue: string | number }
  | { doubleValue: number | string }
  | { arrayValue: { values?: AnyValueJson[] } }
  | { kvlistValue: { values?: KeyValueJson[] } }
  | { bytesValue: string }
  | Record<string, never>

export interface KeyValueJson {
  key: string
  value?: AnyValueJson
}

export interface SpanJson {
  traceId: string
  spanId: string
  parentSpanId?: string
  traceState?: string
  flags?: number
  name: string
  kind?: number
  startTimeUnixNano: string | number
  endTimeUnixNano?: string | number
  attributes?: KeyValueJson[]
  droppedAttributesCount?: number
  events?: { timeUnixNano?: string | number; name?: string; attributes?: KeyValueJson[]; droppedAttributesCount?: number }[]
  droppedEventsCount?: number
  links?: { traceId: string; spanId: string; traceState?: string; attributes?: KeyValueJson[]; flags?: number }[]
  droppedLinksCount?: number
  status?: { code?: number; message?: string }
}

export interface ResourceSpansJson {
  resource?: { attributes?: KeyValueJson[] }
  scopeSpans: {
    scope?: { name?: string; version?: string; attributes?: KeyValueJson[] }
    spans: SpanJson[]
    schemaUrl?: string
  }[]
  schemaUrl?: string
}

export interface TraceRequestJson {
  resourceSpans: ResourceSpansJson[]
}

export function attribute(key: string, value: string | number | boolean): KeyValueJson {
  if (typeof value === 'string') return { key, value: { stringValue: value } }
  if (typeof value === 'boolean') return { key, value: { boolValue: value } }
  return { key, value: Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value } }
}

export const attributes = (values: Record<string, string | number | boolean>): KeyValueJson[] =>
  Object.entries(values).map(([key, value]) => attribute(key, value))

/** A healthy internal span of 5 ms, changed by what is given. */
export function spanJson(given: Partial<SpanJson> & { traceId: string; spanId: string }): SpanJson {
  const start = given.startTimeUnixNano ?? String(BigInt(Date.now()) * 1_000_000n)
  return {
    name: 'work',
    kind: 1,
    startTimeUnixNano: start,
    endTimeUnixNano: String(BigInt(start) + 5_000_000n),
    ...given,
  }
}

/** One request of one service. */
export function traceRequest(service: string, spans: SpanJson[], resource: Record<string, string> = {}): TraceRequestJson {
  return {
    resourceSpans: [
      {
        resource: { attributes: attributes({ 'service.name': service, ...resource }) },
        scopeSpans: [{ scope: { name: 'test' }, spans }],
      },
    ],
  }
}
