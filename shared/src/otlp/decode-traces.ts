import type { AttributeFilter } from './attribute-filter.ts'
import { decodeSpan } from './decode-span.ts'
import { type DecodeSource, decodeKeyValue, VALUES_SHOWN_MAX } from './decode-value.ts'
import type { OtlpResource, OtlpScope, SpanInContext } from './model.ts'
import { createTextSource, readText } from './read-text.ts'
import { readTag, readVarint32, skipField, varintEnd } from './wire.ts'

export { type AttributeFilter, createAttributeFilter } from './attribute-filter.ts'

/** Field 1000 is the place where senders of before 2022 put their scopes. */
const OLD_SCOPE_SPANS_TAG = (1000 << 3) | 2

/**
 * Every span of an ExportTraceServiceRequest in wire order: the i-th is row i of `scanTraces`, refused ones included
 * (their ids may then be of any length). With a filter, only the span attributes that it wants are decoded; resource,
 * scope, events and links are always whole. The spans of one envelope share their resource and scope objects.
 * Throws `OtlpDecodeError` where the bytes are no protobuf. A span of more than 262,144 events, links and list elements
 * is shown without the rest, which counts as dropped.
 */
export function* decodeTraces(body: Uint8Array, filter?: AttributeFilter): Generator<SpanInContext> {
  const source: DecodeSource = {
    ...createTextSource(body),
    budget: 0,
    float: new DataView(body.buffer, body.byteOffset, body.byteLength),
  }
  const end = body.length
  for (let p = 0; p < end; ) {
    const tag = readTag(body, p, end)
    p = varintEnd(body, p, end)
    const next = skipField(body, tag, p, end)
    if (tag === 0x0a) yield* decodeResourceSpans(source, varintEnd(body, p, end), next, filter ?? null)
    p = next
  }
}

function* decodeResourceSpans(
  source: DecodeSource,
  start: number,
  end: number,
  filter: AttributeFilter | null,
): Generator<SpanInContext> {
  const { bytes } = source
  let resource: OtlpResource | null = null
  for (let p = start; p < end; ) {
    const tag = readTag(bytes, p, end)
    p = varintEnd(bytes, p, end)
    const next = skipField(bytes, tag, p, end)
    if (tag === 0x12 || tag === OLD_SCOPE_SPANS_TAG) {
      resource ??= decodeResource(source, start, end)
      const at = varintEnd(bytes, p, end)
      const scope = decodeScope(source, at, next)
      yield* decodeSpansOfScope(source, at, next, filter, resource, scope)
    }
    p = next
  }
}

function* decodeSpansOfScope(
  source: DecodeSource,
  start: number,
  end: number,
  filter: AttributeFilter | null,
  resource: OtlpResource,
  scope: OtlpScope,
): Generator<SpanInContext> {
  const { bytes } = source
  for (let p = start; p < end; ) {
    const tag = readTag(bytes, p, end)
    p = varintEnd(bytes, p, end)
    const next = skipField(bytes, tag, p, end)
    if (tag === 0x12) yield { resource, scope, span: decodeSpan(source, varintEnd(bytes, p, end), next, filter) }
    p = next
  }
}

/** The resource of a ResourceSpans, wherever it stands in it, and merged where it comes in pieces. */
function decodeResource(source: DecodeSource, start: number, end: number): OtlpResource {
  const { bytes } = source
  const resource: OtlpResource = { attributes: new Map(), droppedAttributesCount: 0, schemaUrl: '' }
  for (let p = start; p < end; ) {
    const tag = readTag(bytes, p, end)
    p = varintEnd(bytes, p, end)
    const next = skipField(bytes, tag, p, end)
    if (tag === 0x0a) mergeResource(source, varintEnd(bytes, p, end), next, resource)
    else if (tag === 0x1a) resource.schemaUrl = readText(source, varintEnd(bytes, p, end), next)
    p = next
  }
  return resource
}

function mergeResource(source: DecodeSource, start: number, end: number, into: OtlpResource): void {
  const { bytes } = source
  source.budget = VALUES_SHOWN_MAX
  for (let p = start; p < end; ) {
    const tag = readTag(bytes, p, end)
    p = varintEnd(bytes, p, end)
    const next = skipField(bytes, tag, p, end)
    if (tag === 0x0a) decodeKeyValue(source, varintEnd(bytes, p, end), next, into.attributes, null)
    else if (tag === 0x10) into.droppedAttributesCount = readVarint32(bytes, p, end) >>> 0
    p = next
  }
}

function decodeScope(source: DecodeSource, start: number, end: number): OtlpScope {
  const { bytes } = source
  const scope: OtlpScope = { name: '', version: '', attributes: new Map(), droppedAttributesCount: 0, schemaUrl: '' }
  for (let p = start; p < end; ) {
    const tag = readTag(bytes, p, end)
    p = varintEnd(bytes, p, end)
    const next = skipField(bytes, tag, p, end)
    if (tag === 0x0a) mergeScope(source, varintEnd(bytes, p, end), next, scope)
    else if (tag === 0x1a) scope.schemaUrl = readText(source, varintEnd(bytes, p, end), next)
    p = next
  }
  return scope
}

function mergeScope(source: DecodeSource, start: number, end: number, into: OtlpScope): void {
  const { bytes } = source
  source.budget = VALUES_SHOWN_MAX
  for (let p = start; p < end; ) {
    const tag = readTag(bytes, p, end)
    p = varintEnd(bytes, p, end)
    const next = skipField(bytes, tag, p, end)
    const at = (tag & 7) === 2 ? varintEnd(bytes, p, end) : p
    if (tag === 0x0a) into.name = readText(source, at, next)
    else if (tag === 0x12) into.version = readText(source, at, next)
    else if (tag === 0x1a) decodeKeyValue(source, at, next, into.attributes, null)
    else if (tag === 0x20) into.droppedAttributesCount = readVarint32(bytes, p, end) >>> 0
    p = next
  }
}
