import { zstdDecompressSync } from 'node:zlib'
import { compressOnce, createZstdCompressor } from './zstd-context.ts'

/** The cheapest level: 1.0 M spans/s per core at 58 bytes a span on the demo capture. Merges use 3. */
const LEVEL_DEFAULT = 1

/**
 * Output is made in one piece, since joining pieces takes their memory twice. What is not written costs none; a damaged row
 * must not ask for more than this.
 */
const CHUNK_MIN_BYTES = 64 * 1024
const CHUNK_MAX_BYTES = 64 * 1024 * 1024

/** A stored segment that cannot be read: damaged, or larger than any that is written. */
export class SegmentError extends Error {
  readonly code: 'damaged' | 'too_large'

  constructor(code: 'damaged' | 'too_large', message: string) {
    super(message)
    this.name = 'SegmentError'
    this.code = code
  }
}

/**
 * The body of a segment: requests one behind the other, which is one valid request with all their spans, compressed
 * with zstd. A checksum is kept, so that damage on disk is found instead of shown.
 */
export function packSegment(bodies: readonly Uint8Array[], level: number = LEVEL_DEFAULT): Uint8Array {
  return compressOnce(requestOf(bodies), level)
}

export type SegmentPacker = (bodies: readonly Uint8Array[]) => Uint8Array

/** The same, for a thread that packs again and again. */
export function createSegmentPacker(level: number = LEVEL_DEFAULT): SegmentPacker {
  const compress = createZstdCompressor(level)
  return (bodies) => compress(requestOf(bodies))
}

function requestOf(bodies: readonly Uint8Array[]): Uint8Array {
  return bodies.length === 1 ? bodies[0]! : Buffer.concat(bodies)
}

/** The request in a segment's body. Throws `SegmentError` where it is damaged or longer than `maxBytes`. */
export function unpackSegment(body: Uint8Array, maxBytes: number): Uint8Array {
  if (body.length === 0) throw new SegmentError('damaged', 'a segment without content')
  try {
    return zstdDecompressSync(body, { chunkSize: clamp(maxBytes + 1), maxOutputLength: maxBytes })
  } catch (error) {
    const code = (error as { code?: unknown }).code
    if (code === 'ERR_BUFFER_TOO_LARGE') throw new SegmentError('too_large', `a segment of more than ${maxBytes} bytes`)
    throw new SegmentError('damaged', `a segment that zstd cannot read: ${code}`)
  }
}

function clamp(bytes: number): number {
  return Math.min(CHUNK_MAX_BYTES, Math.max(CHUNK_MIN_BYTES, Math.ceil(bytes)))
}
