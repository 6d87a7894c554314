import { encodeEnvelopes } from './encode-envelopes.ts'
import { encodeAttributes, encodeCount, encodeEnum, encodeFlags, encodeTime } from './encode-value.ts'
import type { OtlpEvent, OtlpLink, OtlpSpan, SpanInContext } from './model.ts'
import { ProtoWriter } from './proto-writer.ts'

/**
 * An ExportTraceServiceRequest of these spans, in their order. Neighbours that share the resource object share one
 * envelope, likewise the scope. `decodeTraces` gives back what went in.
 */
export function encodeTraces(spans: readonly SpanInContext[]): Uint8Array {
  const writer = new ProtoWriter(4096)
  encodeEnvelopes(writer, spans, ({ span }) => encodeSpan(writer, span))
  return writer.finish()
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
