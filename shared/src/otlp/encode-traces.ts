import type { OtlpAttributes, OtlpEvent, OtlpLink, OtlpSpan, OtlpValue, SpanInContext } from './model.ts'
import { ProtoWriter } from './proto-writer.ts'

/**
 * An ExportTraceServiceRequest of these spans, in their order. Neighbours that share the resource object share one
 * envelope, likewise the scope. `decodeTraces` gives back what went in.
 */
export function encodeTraces(spans: readonly SpanInContext[]): Uint8Array {
  const writer = new ProtoWriter(4096)
  for (let i = 0; i < spans.length; ) {
    const { resource } = spans[i]!
    const envelope = writer.open(0x0a)
    const message = writer.open(0x0a)
    encodeAttributes(writer, 0x0a, resource.attributes)
    encodeCount(writer, 0x10, resource.droppedAttributesCount)
    writer.close(message)
    while (i < spans.length && spans[i]!.resource === resource) i = encodeScopeSpans(writer, spans, i)
    if (resource.schemaUrl !== '') writer.text(0x1a, resource.schemaUrl)
    writer.close(envelope)
  }
  return writer.finish()
}

/** Writes the spans from `first` on that share resource and scope, and gives the index of the next one. */
function encodeScopeSpans(writer: ProtoWriter, spans: readonly SpanInContext[], first: number): number {
  const { resource, scope } = spans[first]!
  const envelope = writer.open(0x12)
  const message = writer.open(0x0a)
  if (scope.name !== '') writer.text(0x0a, scope.name)
  if (scope.version !== '') writer.text(0x12, scope.version)
  encodeAttributes(writer, 0x1a, scope.attributes)
  encodeCount(writer, 0x20, scope.droppedAttributesCount)
  writer.close(message)
  let i = first
  for (; i < spans.length && spans[i]!.resource === resource && spans[i]!.scope === scope; i++) encodeSpan(writer, spans[i]!.span)
  if (scope.schemaUrl !== '') writer.text(0x1a, scope.schemaUrl)
  writer.close(envelope)
  return i
}

function encodeSpan(writer: ProtoWriter, span: OtlpSpan): void {
  const message = writer.open(0x12)
  if (span.traceId.length > 0) writer.field(0x0a, span.traceId)
  if (span.spanId.length > 0) writer.field(0x12, span.spanId)
  if (span.traceState !== '') writer.text(0x1a, span.traceState)
  if (span.parentSpanId !== null) writer.field(0x22, span.parentSpanId)
  if (span.name !== '') writer.text(0x2a, span.name)
  encodeEnum(writer, 0x30, span.kind)
  encodeTime(writer, 0x39, span.startUnixNano)
  encodeTime(writer, 0x41, span.endUnixNano)
  encodeAttributes(writer, 0x4a, span.attributes)
  encodeCount(writer, 0x50, span.droppedAttributesCount)
  for (const event of span.events) encodeEvent(writer, event)
  encodeCount(writer, 0x60, span.droppedEventsCount)
  for (const link of span.links) encodeLink(writer, link)
  encodeCount(writer, 0x70, span.droppedLinksCount)
  encodeStatus(writer, span.status)
  encodeFlags(writer, 0x85, span.flags)
  writer.close(message)
}

function encodeStatus(writer: ProtoWriter, status: { code: number; message: string }): void {
  if (status.code === 0 && status.message === '') return
  const message = writer.open(0x7a)
  if (status.message !== '') writer.text(0x12, status.message)
  encodeEnum(writer, 0x18, status.code)
  writer.close(message)
}

function encodeEvent(writer: ProtoWriter, event: OtlpEvent): void {
  const message = writer.open(0x5a)
  encodeTime(writer, 0x09, event.timeUnixNano)
  if (event.name !== '') writer.text(0x12, event.name)
  encodeAttributes(writer, 0x1a, event.attributes)
  encodeCount(writer, 0x20, event.droppedAttributesCount)
  writer.close(message)
}

function encodeLink(writer: ProtoWriter, link: OtlpLink): void {
  const message = writer.open(0x6a)
  if (link.traceId.length > 0) writer.field(0x0a, link.traceId)
  if (link.spanId.length > 0) writer.field(0x12, link.spanId)
  if (link.traceState !== '') writer.text(0x1a, link.traceState)
  encodeAttributes(writer, 0x22, link.attributes)
  encodeCount(writer, 0x28, link.droppedAttributesCount)
  encodeFlags(writer, 0x35, link.flags)
  writer.close(message)
}

function encodeAttributes(writer: ProtoWriter, tag: number, attributes: OtlpAttributes): void {
  for (const [key, value] of attributes) {
    const message = writer.open(tag)
    if (key !== '') writer.text(0x0a, key)
    const inner = writer.open(0x12)
    encodeValue(writer, value)
    writer.close(inner)
    writer.close(message)
  }
}

/** A number that is no safe integer, negative zero among them, is a double; the empty value has no field. */
function encodeValue(writer: ProtoWriter, value: OtlpValue): void {
  if (value === null) return
  if (typeof value === 'string') writer.text(0x0a, value)
  else if (typeof value === 'boolean') encodeBoolean(writer, value)
  else if (typeof value === 'bigint') encodeInt(writer, value)
  else if (typeof value === 'number') encodeNumber(writer, value)
  else if (value instanceof Uint8Array) writer.field(0x3a, value)
  else encodeCollection(writer, value)
}

function encodeBoolean(writer: ProtoWriter, value: boolean): void {
  writer.tag(0x10)
  writer.varint(value ? 1 : 0)
}

function encodeNumber(writer: ProtoWriter, value: number): void {
  if (Number.isSafeInteger(value) && !Object.is(value, -0)) {
    encodeInt(writer, BigInt(value))
    return
  }
  writer.tag(0x21)
  writer.double(value)
}

function encodeInt(writer: ProtoWriter, value: bigint): void {
  writer.tag(0x18)
  writer.int64(value)
}

function encodeCollection(writer: ProtoWriter, value: OtlpValue[] | Map<string, OtlpValue>): void {
  const list = writer.open(Array.isArray(value) ? 0x2a : 0x32)
  if (!Array.isArray(value)) encodeAttributes(writer, 0x0a, value)
  else {
    for (const element of value) {
      const inner = writer.open(0x0a)
      encodeValue(writer, element)
      writer.close(inner)
    }
  }
  writer.close(list)
}

function encodeTime(writer: ProtoWriter, tag: number, nano: bigint): void {
  if (nano === 0n) return
  writer.tag(tag)
  writer.fixed64(nano)
}

function encodeCount(writer: ProtoWriter, tag: number, count: number): void {
  if (count === 0) return
  writer.tag(tag)
  writer.varint(count)
}

/** Enums are signed: a negative one takes ten bytes. */
function encodeEnum(writer: ProtoWriter, tag: number, value: number): void {
  if (value === 0) return
  writer.tag(tag)
  writer.int64(BigInt(value))
}

function encodeFlags(writer: ProtoWriter, tag: number, flags: number): void {
  if (flags === 0) return
  writer.tag(tag)
  writer.fixed32(flags)
}
