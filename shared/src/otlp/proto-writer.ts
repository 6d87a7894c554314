import { freeMemory } from './free-memory.ts'

/** Longest varint: ten bytes of seven bits. */
const VARINT_MAX_BYTES = 10

/**
 * Writes protobuf front to back into memory that grows. A submessage is opened with one byte left for its length; when
 * it is closed and turns out longer, its content is moved (a native copy, cheaper than measuring first).
 */
export class ProtoWriter {
  bytes: Buffer
  /** Of the same memory. */
  view: DataView
  at = 0

  constructor(capacity = 1024) {
    this.bytes = Buffer.allocUnsafe(capacity)
    this.view = viewOf(this.bytes)
  }

  /** A copy of what was written, in `target` if it fits there. */
  finish(target?: Uint8Array): Uint8Array {
    const written = this.bytes.subarray(0, this.at)
    if (!target || target.length < this.at) return new Uint8Array(written)
    target.set(written)
    return target.subarray(0, this.at)
  }

  /** Makes room for `size` more bytes. */
  reserve(size: number): void {
    if (this.at + size <= this.bytes.length) return
    const grown = Buffer.allocUnsafe(Math.max(this.bytes.length * 2, this.at + size))
    this.bytes.copy(grown, 0, 0, this.at)
    freeMemory(this.bytes)
    this.bytes = grown
    this.view = viewOf(grown)
  }

  tag(tag: number): void {
    this.varint(tag)
  }

  /** A non-negative number up to 2^53. */
  varint(value: number): void {
    this.reserve(VARINT_MAX_BYTES)
    const { bytes } = this
    if (value < 0x80) {
      bytes[this.at++] = value
      return
    }
    let rest = value
    for (; rest >= 0x80; rest = Math.floor(rest / 128)) this.bytes[this.at++] = (rest % 128) | 0x80
    this.bytes[this.at++] = rest
  }

  /** A signed 64-bit integer; of a larger one the low 64 bits, as protobuf cuts. */
  int64(value: bigint): void {
    this.reserve(VARINT_MAX_BYTES)
    let rest = BigInt.asUintN(64, value)
    for (; rest >= 0x80n; rest >>= 7n) this.bytes[this.at++] = Number(rest & 0x7fn) | 0x80
    this.bytes[this.at++] = Number(rest)
  }

  /** The varint of a 64-bit integer given as its two unsigned words. */
  words(low: number, high: number): void {
    this.reserve(VARINT_MAX_BYTES)
    const { bytes } = this
    let at = this.at
    let lower = low
    let upper = high
    while (upper > 0 || lower >= 0x80) {
      bytes[at++] = (lower & 0x7f) | 0x80
      lower = ((lower >>> 7) | (upper << 25)) >>> 0
      upper >>>= 7
    }
    bytes[at++] = lower
    this.at = at
  }

  /** A fixed64 given as its two unsigned words. */
  fixedWords(low: number, high: number): void {
    this.reserve(8)
    const { bytes, at } = this
    bytes[at] = low
    bytes[at + 1] = low >>> 8
    bytes[at + 2] = low >>> 16
    bytes[at + 3] = low >>> 24
    bytes[at + 4] = high
    bytes[at + 5] = high >>> 8
    bytes[at + 6] = high >>> 16
    bytes[at + 7] = high >>> 24
    this.at = at + 8
  }

  fixed32(value: number): void {
    this.reserve(4)
    this.at = this.bytes.writeUInt32LE(value >>> 0, this.at)
  }

  fixed64(value: bigint): void {
    this.reserve(8)
    this.at = this.bytes.writeBigUInt64LE(BigInt.asUintN(64, value), this.at)
  }

  double(value: number): void {
    this.reserve(8)
    this.at = this.bytes.writeDoubleLE(value, this.at)
  }

  /** A length-delimited field. */
  field(tag: number, content: Uint8Array): void {
    this.tag(tag)
    this.varint(content.length)
    this.reserve(content.length)
    this.bytes.set(content, this.at)
    this.at += content.length
  }

  text(tag: number, text: string): void {
    this.field(tag, Buffer.from(text, 'utf8'))
  }

  /** Opens a submessage and says where it began, for `close`. */
  open(tag: number): number {
    this.tag(tag)
    this.reserve(1)
    return this.at++
  }

  close(opened: number): void {
    const length = this.at - opened - 1
    if (length < 0x80) {
      this.bytes[opened] = length
      return
    }
    const end = this.at
    const extra = length < 0x4000 ? 1 : length < 0x20_0000 ? 2 : length < 0x1000_0000 ? 3 : 4
    this.reserve(extra)
    this.bytes.copyWithin(opened + 1 + extra, opened + 1, end)
    this.at = opened
    this.varint(length)
    this.at = end + extra
  }
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
