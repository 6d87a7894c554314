import { types } from 'node:util'
import { constants, createZstdCompress, createZstdDecompress, zstdCompressSync } from 'node:zlib'
import { freeMemory } from '../otlp/free-memory.ts'

/** Compresses pieces one after the other, each a frame of its own. */
export type ZstdCompressor = (bytes: Uint8Array) => Uint8Array

/** With small chunks Node joins many pieces, which costs more than compressing; large ones it takes fresh from the system each time. */
const CHUNK_MIN_BYTES = 64 * 1024
const CHUNK_MAX_BYTES = 4 * 1024 * 1024

/** Beyond this the output is not kept between two calls. */
const KEPT_OUTPUT_BYTES = 6 * 1024 * 1024
/** What zstd may add to bytes that do not compress: its bound is a 256th and 64 bytes. */
const BOUND_SHARE = 128
const BOUND_BYTES = 1024

function parameters(level: number): Record<number, number | boolean> {
  return { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_checksumFlag]: 1 }
}

/** With a context of its own for this call: 25 to 80 µs of making and clearing memory, whatever the size. */
export function compressOnce(bytes: Uint8Array, level: number): Uint8Array {
  return zstdCompressSync(bytes, {
    // Telemetry shrinks to a tenth; what does not comes in pieces.
    chunkSize: Math.min(CHUNK_MAX_BYTES, Math.max(CHUNK_MIN_BYTES, Math.ceil(bytes.length / 4))),
    params: parameters(level),
    pledgedSrcSize: bytes.length,
  })
}

/** What Node's own synchronous functions call, and what it leaves there: room left in the output, input left. */
interface NodeHandle {
  writeSync(flush: number, input: Uint8Array, at: number, length: number, output: Uint8Array, to: number, room: number): void
  reset(): void
  onerror: () => void
}

/**
 * Keeps one context of zstd and one output, for threads that compress again and again: Node's `zstdCompressSync` makes
 * both anew, which was a tenth of all processor time at 10 spans a body and set off a garbage collection every 64 MB of
 * them. Node offers no such call, only the one that its own functions are made of; where that is missing each piece
 * gets its own context.
 */
export function createZstdCompressor(level: number): ZstdCompressor {
  const context = openContext(level)
  if (!context) return (bytes) => compressOnce(bytes, level)
  const { handle, left } = context
  let kept = new Uint8Array(0)
  return (bytes) => {
    const room = bytes.length + Math.ceil(bytes.length / BOUND_SHARE) + BOUND_BYTES
    // No Buffer: its `slice` would not copy.
    const output = room <= kept.length ? kept : new Uint8Array(Buffer.allocUnsafeSlow(room).buffer)
    if (room <= KEPT_OUTPUT_BYTES) kept = output
    handle.writeSync(constants.ZSTD_e_end, bytes, 0, bytes.length, output, 0, output.length)
    const [roomLeft, inputLeft] = left
    if (inputLeft !== 0 || roomLeft === output.length) throw new Error(`zstd left ${inputLeft} of ${bytes.length} bytes`)
    const compressed = output.slice(0, output.length - roomLeft!)
    if (output !== kept) freeMemory(output)
    return compressed
  }
}

/** Where a frame is to be put: at this place, with so much room. */
export interface ZstdOutput {
  bytes: Uint8Array
  at: number
  room: number
}

/** How many bytes the frame held; null where it does not fit, or is no frame: who opens it otherwise is told why. */
export type ZstdDecompressor = (frame: Uint8Array, output: ZstdOutput) => number | null

/** The same for frames that are opened one after the other, into memory of the caller; null where Node has no such call. */
export function createZstdDecompressor(): ZstdDecompressor | null {
  let context = openDecompression()
  if (context === null) return null
  return (frame, { bytes, at, room }) => {
    context ??= openDecompression()
    if (context === null) return null
    const { handle, left } = context
    let hasFailed = false
    handle.onerror = () => {
      hasFailed = true
    }
    handle.reset()
    handle.writeSync(constants.ZSTD_e_end, frame, 0, frame.length, bytes, at, room)
    // After an error a context tells of it for good.
    if (hasFailed) context = null
    const [roomLeft, inputLeft] = left
    return hasFailed || inputLeft !== 0 || roomLeft === 0 ? null : room - roomLeft!
  }
}

type Context = { handle: NodeHandle; left: Uint32Array } | null

function openContext(level: number): Context {
  return contextOf(createZstdCompress({ params: parameters(level) }))
}

function openDecompression(): Context {
  const context = contextOf(createZstdDecompress())
  return typeof context?.handle.reset === 'function' ? context : null
}

function contextOf(stream: object): Context {
  const { _handle: handle, _writeState: left } = stream as { _handle?: NodeHandle; _writeState?: unknown }
  // Not by `instanceof`: the array is of Node's own realm.
  return typeof handle?.writeSync === 'function' && types.isUint32Array(left) ? { handle, left } : null
}
