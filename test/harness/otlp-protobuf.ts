import type { TraceRequestJson } from './otlp-json.ts'

/**
 * OTLP trace protobuf to and from its JSON encoding, driven by a table of the .proto files.
 * Written apart from the product's own readers and writers on purpose: the tests compare against it.
 */
type Scalar = 'string' | 'hex' | 'base64' | 'bool' | 'int64' | 'uint32' | 'fixed64' | 'fixed32' | 'double'
interface Field {
  number: number
  name: string
  type: Scalar | { message: string }
  repeated: boolean
  /** Inside a oneof: written even when it holds the default. */
  oneof: boolean
}

const field = (number: number, name: string, type: string, options = ''): Field => ({
  number,
  name,
  type: /^[A-Z]/.test(type) ? { message: type } : (type as Scalar),
  repeated: options === 'repeated',
  oneof: options === 'oneof',
})

const MESSAGES: Record<string, Field[]> = {
  ExportTraceServiceRequest: [field(1, 'resourceSpans', 'ResourceSpans', 'repeated')],
  ResourceSpans: [
    field(1, 'resource', 'Resource'),
    field(2, 'scopeSpans', 'ScopeSpans', 'repeated'),
    field(3, 'schemaUrl', 'string'),
  ],
  ScopeSpans: [field(1, 'scope', 'Scope'), field(2, 'spans', 'Span', 'repeated'), field(3, 'schemaUrl', 'string')],
  Resource: [field(1, 'attributes', 'KeyValue', 'repeated'), field(2, 'droppedAttributesCount', 'uint32')],
  Scope: [
    field(1, 'name', 'string'),
    field(2, 'version', 'string'),
    field(3, 'attributes', 'KeyValue', 'repeated'),
    field(4, 'droppedAttributesCount', 'uint32'),
  ],
  Span: [
    field(1, 'traceId', 'hex'),
    field(2, 'spanId', 'hex'),
    field(3, 'traceState', 'string'),
    field(4, 'parentSpanId', 'hex'),
    field(5, 'name', 'string'),
    field(6, 'kind', 'uint32'),
    field(7, 'startTimeUnixNano', 'fixed64'),
    field(8, 'endTimeUnixNano', 'fixed64'),
    field(9, 'attributes', 'KeyValue', 'repeated'),
    field(10, 'droppedAttributesCount', 'uint32'),
    field(11, 'events', 'Event', 'repeated'),
    field(12, 'droppedEventsCount', 'uint32'),
    field(13, 'links', 'Link', 'repeated'),
    field(14, 'droppedLinksCount', 'uint32'),
    field(15, 'status', 'Status'),
    field(16, 'flags', 'fixed32'),
  ],
  Event: [
    field(1, 'timeUnixNano', 'fixed64'),
    field(2, 'name', 'string'),
    field(3, 'attributes', 'KeyValue', 'repeated'),
    field(4, 'droppedAttributesCount', 'uint32'),
  ],
  Link: [
    field(1, 'traceId', 'hex'),
    field(2, 'spanId', 'hex'),
    field(3, 'traceState', 'string'),
    field(4, 'attributes', 'KeyValue', 'repeated'),
    field(5, 'droppedAttributesCount', 'uint32'),
    field(6, 'flags', 'fixed32'),
  ],
  Status: [field(2, 'message', 'string'), field(3, 'code', 'uint32')],
  KeyValue: [field(1, 'key', 'string'), field(2, 'value', 'AnyValue')],
  AnyValue: [
    field(1, 'stringValue', 'string', 'oneof'),
    field(2, 'boolValue', 'bool', 'oneof'),
    field(3, 'intValue', 'int64', 'oneof'),
    field(4, 'doubleValue', 'double', 'oneof'),
    field(5, 'arrayValue', 'ArrayValue', 'oneof'),
    field(6, 'kvlistValue', 'KeyValueList', 'oneof'),
    field(7, 'bytesValue', 'base64', 'oneof'),
  ],
  ArrayValue: [field(1, 'values', 'AnyValue', 'repeated')],
  KeyValueList: [field(1, 'values', 'KeyValue', 'repeated')],
}

type Message = Record<string, unknown>

export const encodeTraceRequest = (request: TraceRequestJson): Uint8Array =>
  new Uint8Array(encodeMessage('ExportTraceServiceRequest', request as unknown as Message))

export const decodeTraceRequest = (bytes: Uint8Array): TraceRequestJson =>
  decodeMessage('ExportTraceServiceRequest', Buffer.from(bytes)) as unknown as TraceRequestJson

function encodeMessage(name: string, message: Message): Buffer {
  const parts: Buffer[] = []
  for (const spec of MESSAGES[name] ?? []) {
    const value = message[spec.name]
    if (value === undefined || value === null) continue
    for (const item of spec.repeated ? (value as unknown[]) : [value]) parts.push(...encodeField(spec, item))
  }
  return Buffer.concat(parts)
}

function encodeField({ number, type, repeated, oneof }: Field, value: unknown): Buffer[] {
  if (typeof type === 'object') return delimited(number, encodeMessage(type.message, value as Message))
  if (!oneof && !repeated && (value === '' || value === 0 || value === '0')) return []
  switch (type) {
    case 'string':
      return delimited(number, Buffer.from(value as string))
    case 'hex':
      return delimited(number, Buffer.from(value as string, 'hex'))
    case 'base64':
      return delimited(number, Buffer.from(value as string, 'base64'))
    case 'fixed64':
      return [varint(BigInt((number << 3) | 1)), fixed(8, (out) => out.writeBigUInt64LE(BigInt(value as string)))]
    case 'double':
      return [varint(BigInt((number << 3) | 1)), fixed(8, (out) => out.writeDoubleLE(Number(value)))]
    case 'fixed32':
      return [varint(BigInt((number << 3) | 5)), fixed(4, (out) => out.writeUInt32LE(value as number))]
    default:
      return [varint(BigInt(number << 3)), varint(BigInt.asUintN(64, BigInt(value as string | number | boolean)))]
  }
}

const delimited = (number: number, bytes: Buffer): Buffer[] => [
  varint(BigInt((number << 3) | 2)),
  varint(BigInt(bytes.length)),
  bytes,
]

function fixed(bytes: number, write: (out: Buffer) => void): Buffer {
  const out = Buffer.alloc(bytes)
  write(out)
  return out
}

function varint(value: bigint): Buffer {
  const bytes: number[] = []
  let left = value
  while (left > 127n) {
    bytes.push(Number(left & 127n) | 128)
    left >>= 7n
  }
  return Buffer.from([...bytes, Number(left)])
}

interface Cursor {
  bytes: Buffer
  at: number
}

function decodeMessage(name: string, bytes: Buffer): Message {
  const cursor = { bytes, at: 0 }
  const message: Message = {}
  while (cursor.at < bytes.length) {
    const tag = Number(readVarint(cursor))
    const raw = readRaw(cursor, tag & 7)
    const spec = MESSAGES[name]?.find(({ number }) => number === tag >> 3)
    if (!spec) continue
    const value = typeof spec.type === 'object' ? decodeMessage(spec.type.message, raw as Buffer) : toJson(spec.type, raw)
    if (spec.repeated) message[spec.name] = [...((message[spec.name] as unknown[] | undefined) ?? []), value]
    else message[spec.name] = value
  }
  return message
}

function readVarint(cursor: Cursor): bigint {
  let value = 0n
  for (let shift = 0n; ; shift += 7n) {
    const byte = BigInt(cursor.bytes[cursor.at++] ?? 0)
    value |= (byte & 127n) << shift
    if (byte < 128n) return value
  }
}

function readRaw(cursor: Cursor, wireType: number): bigint | Buffer {
  if (wireType === 0) return readVarint(cursor)
  const length = wireType === 1 ? 8 : wireType === 5 ? 4 : Number(readVarint(cursor))
  const start = cursor.at
  cursor.at += length
  return cursor.bytes.subarray(start, cursor.at)
}

function toJson(type: Scalar, raw: bigint | Buffer): unknown {
  if (typeof raw === 'bigint') {
    if (type === 'bool') return raw !== 0n
    return type === 'int64' ? String(BigInt.asIntN(64, raw)) : Number(raw)
  }
  if (type === 'string') return raw.toString()
  if (type === 'hex' || type === 'base64') return raw.toString(type)
  if (type === 'fixed64') return String(raw.readBigUInt64LE())
  return type === 'double' ? raw.readDoubleLE() : raw.readUInt32LE()
}
