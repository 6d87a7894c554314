import type { OtlpAttributes, OtlpValue } from './model.ts'
import type { ProtoWriter } from './proto-writer.ts'

/** Attributes in their order, each as a field of this tag. */
export function encodeAttributes(writer: ProtoWriter, tag: number, attributes: OtlpAttributes): void {
  for (const [key, value] of attributes) {
    const message = writer.open(tag)
    if (key !== '') writer.text(0x0a, key)
    const inner = writer.open(0x12)
    encodeValue(writer, value)
    writer.close(inner)
    writer.close(message)
  }
}

/** The content of an AnyValue. A number that is no safe integer, negative zero among them, is a double; the empty value has no field. */
export function encodeValue(writer: ProtoWriter, value: OtlpValue): void {
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

export function encodeTime(writer: ProtoWriter, tag: number, nano: bigint): void {
  if (nano === 0n) return
  writer.tag(tag)
  writer.fixed64(nano)
}

export function encodeCount(writer: ProtoWriter, tag: number, count: number): void {
  if (count === 0) return
  writer.tag(tag)
  writer.varint(count)
}

/** Enums are signed: a negative one takes ten bytes. */
export function encodeEnum(writer: ProtoWriter, tag: number, value: number): void {
  if (value === 0) return
  writer.tag(tag)
  writer.int64(BigInt(value))
}

export function encodeFlags(writer: ProtoWriter, tag: number, flags: number): void {
  if (flags === 0) return
  writer.tag(tag)
  writer.fixed32(flags)
}
