import type { AttributeFilter } from './attribute-filter.ts'
import { createRecordReader, decodeEnvelopes, type WantsRecord } from './decode-envelopes.ts'
import { decodeSpan } from './decode-span.ts'
import type { SpanInContext } from './model.ts'
import type { RecordBounds } from './walk-records.ts'

export { type AttributeFilter, createAttributeFilter } from './attribute-filter.ts'

/**
 * Every span of an ExportTraceServiceRequest in wire order: the i-th is row i of `scanTraces`, refused ones included
 * (their ids may then be of any length). With a filter, only the span attributes that it wants are decoded; resource,
 * scope, events and links are always whole. The spans of one envelope share their resource and scope objects.
 * Throws `OtlpDecodeError` where the bytes are no protobuf. A span of more than 262,144 events, links and list elements
 * is shown without the rest, which counts as dropped. `wants`: see decodeEnvelopes.
 */
export function decodeTraces(body: Uint8Array, filter?: AttributeFilter, wants?: WantsRecord): Generator<SpanInContext> {
  return decodeEnvelopes(
    body,
    (source, start, end, { resource, scope }) => ({ resource, scope, span: decodeSpan(source, start, end, filter ?? null) }),
    wants,
  )
}

/** Decodes spans where `walkRecords` says they lie, as `decodeTraces` does. */
export function createSpanReader(body: Uint8Array, filter?: AttributeFilter): (record: RecordBounds) => SpanInContext {
  return createRecordReader(body, (source, start, end, { resource, scope }) => ({
    resource,
    scope,
    span: decodeSpan(source, start, end, filter ?? null),
  }))
}
