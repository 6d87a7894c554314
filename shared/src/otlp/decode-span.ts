import type { AttributeFilter } from './attribute-filter.ts'
import { copyBytes, type DecodeSource, decodeKeyValue, VALUES_SHOWN_MAX } from './decode-value.ts'
import { SPAN_ID_BYTES } from './ids.ts'
import type { OtlpEvent, OtlpLink, OtlpSpan } from './model.ts'
import { readText } from './read-text.ts'
import { readTag, readVarint, readVarint32, skipField, varintEnd } from './wire.ts'

const NO_BYTES = new Uint8Array(0)

/** Reads the content of a Span message. */
export function decodeSpan(source: DecodeSource, start: number, end: number, filter: AttributeFilter | null): OtlpSpan {
  const { bytes } = source
  source.budget = VALUES_SHOWN_MAX
  const span = emptySpan()
  for (let p = start; p < end; ) {
    let tag = bytes[p++]!
    if (tag >= 0x80) {
      tag = readTag(bytes, p - 1, end)
      p = varintEnd(bytes, p - 1, end)
    }
    if ((tag & 7) !== 2) {
      const next = skipField(bytes, tag, p, end)
      decodeScalar(source, span, tag, p, end)
      p = next
      continue
    }
    const length = readVarint(bytes, p, end)
    const next = skipField(bytes, tag, p, end)
    const at = next - length
    if (tag === 0x4a) {
      if (source.budget-- > 0) decodeKeyValue(source, at, next, span.attributes, filter)
      else span.droppedAttributesCount++
    } else decodeField(source, span, tag, at, next)
    p = next
  }
  return span
}

function emptySpan(): OtlpSpan {
  return {
    traceId: NO_BYTES,
    spanId: NO_BYTES,
    parentSpanId: null,
    traceState: '',
    flags: 0,
    name: '',
    kind: 0,
    startUnixNano: 0n,
    endUnixNano: 0n,
    attributes: new Map(),
    droppedAttributesCount: 0,
    events: [],
    droppedEventsCount: 0,
    links: [],
    droppedLinksCount: 0,
    status: { code: 0, message: '' },
  }
}

function decodeScalar(source: DecodeSource, span: OtlpSpan, tag: number, at: number, end: number): void {
  const { bytes, float } = source
  if (tag === 0x39) span.startUnixNano = float.getBigUint64(at, true)
  else if (tag === 0x41) span.endUnixNano = float.getBigUint64(at, true)
  else if (tag === 0x30) span.kind = readVarint32(bytes, at, end)
  else if (tag === 0x50) span.droppedAttributesCount = readVarint32(bytes, at, end) >>> 0
  else if (tag === 0x60) span.droppedEventsCount = readVarint32(bytes, at, end) >>> 0
  else if (tag === 0x70) span.droppedLinksCount = readVarint32(bytes, at, end) >>> 0
  else if (tag === 0x85) span.flags = float.getUint32(at, true)
}

function decodeField(source: DecodeSource, span: OtlpSpan, tag: number, at: number, end: number): void {
  switch (tag) {
    case 0x0a:
      span.traceId = copyBytes(source.bytes, at, end)
      break
    case 0x12:
      span.spanId = copyBytes(source.bytes, at, end)
      break
    case 0x1a:
      span.traceState = readText(source, at, end)
      break
    case 0x22:
      span.parentSpanId = parentIdOf(source.bytes, at, end)
      break
    case 0x2a:
      span.name = readText(source, at, end)
      break
    case 0x5a:
      if (source.budget-- > 0) span.events.push(decodeEvent(source, at, end))
      else span.droppedEventsCount++
      break
    case 0x6a:
      if (source.budget-- > 0) span.links.push(decodeLink(source, at, end))
      else span.droppedLinksCount++
      break
    case 0x7a:
      mergeStatus(source, at, end, span.status)
  }
}

/** All zero is how some senders say that there is no parent; another length is an id of nothing. */
function parentIdOf(bytes: Uint8Array, at: number, end: number): Uint8Array | null {
  if (end - at !== SPAN_ID_BYTES) return null
  const id = copyBytes(bytes, at, end)
  return id.some((byte) => byte !== 0) ? id : null
}

function decodeEvent(source: DecodeSource, start: number, end: number): OtlpEvent {
  const { bytes } = source
  const event: OtlpEvent = { timeUnixNano: 0n, name: '', attributes: new Map(), droppedAttributesCount: 0 }
  for (let p = start; p < end; ) {
    const tag = readTag(bytes, p, end)
    p = varintEnd(bytes, p, end)
    const next = skipField(bytes, tag, p, end)
    const at = (tag & 7) === 2 ? varintEnd(bytes, p, end) : p
    if (tag === 0x09) event.timeUnixNano = source.float.getBigUint64(at, true)
    else if (tag === 0x12) event.name = readText(source, at, next)
    else if (tag === 0x1a) decodeKeyValue(source, at, next, event.attributes, null)
    else if (tag === 0x20) event.droppedAttributesCount = readVarint32(bytes, at, next) >>> 0
    p = next
  }
  return event
}

function decodeLink(source: DecodeSource, start: number, end: number): OtlpLink {
  const { bytes } = source
  const link: OtlpLink = {
    traceId: NO_BYTES,
    spanId: NO_BYTES,
    traceState: '',
    attributes: new Map(),
    droppedAttributesCount: 0,
    flags: 0,
  }
  for (let p = start; p < end; ) {
    const tag = readTag(bytes, p, end)
    p = varintEnd(bytes, p, end)
    const next = skipField(bytes, tag, p, end)
    const at = (tag & 7) === 2 ? varintEnd(bytes, p, end) : p
    if (tag === 0x0a) link.traceId = copyBytes(bytes, at, next)
    else if (tag === 0x12) link.spanId = copyBytes(bytes, at, next)
    else if (tag === 0x1a) link.traceState = readText(source, at, next)
    else if (tag === 0x22) decodeKeyValue(source, at, next, link.attributes, null)
    else if (tag === 0x28) link.droppedAttributesCount = readVarint32(bytes, at, next) >>> 0
    else if (tag === 0x35) link.flags = source.float.getUint32(at, true)
    p = next
  }
  return link
}

/** Into what an earlier piece of the same status said. */
function mergeStatus(source: DecodeSource, start: number, end: number, into: { code: number; message: string }): void {
  const { bytes } = source
  for (let p = start; p < end; ) {
    const tag = readTag(bytes, p, end)
    p = varintEnd(bytes, p, end)
    const next = skipField(bytes, tag, p, end)
    if (tag === 0x12) into.message = readText(source, varintEnd(bytes, p, end), next)
    else if (tag === 0x18) into.code = readVarint32(bytes, p, end)
    p = next
  }
}
