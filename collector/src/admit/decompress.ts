import { constants, gunzipSync, inflateRawSync, inflateSync, zstdDecompressSync } from 'node:zlib'
import type { Compression } from '../receive/content-encoding.ts'
import { type Refusal, refused } from '../receive/outcome.ts'

/**
 * Output is made in pieces of at least this size; the default of 16 kB costs a third of the time. Pieces are joined in the
 * end, which takes their memory twice, so one piece is made as large as the body will be where the body says so. A body that
 * lies gains nothing: memory that is not written costs none.
 */
const CHUNK_MIN_BYTES = 256 * 1024
/** Bytes of zstd's magic number and header up to the content size, and of gzip's trailer with the same. */
const ZSTD_SIZE_AT = 5
const GZIP_TRAILER_BYTES = 4
/** The most memory that a frame may ask of zstd's decoder, as a power of two: 16 MB; no level but the ultra ones asks for more. */
const ZSTD_WINDOW_LOG_MAX = 24

/** zstd allows frames one behind the other; each costs a start of the decoder, so a flood of them is refused. */
const ZSTD_FRAMES_MAX = 1000

interface Inflated {
  buffer: Buffer
  engine: { bytesWritten: number }
}

/**
 * The body behind its compression, at most `bodyMaxBytes` long: what is longer is refused as soon as the limit is
 * reached, counted over all members of a concatenated gzip. Truncated, corrupt and trailing bytes are refused.
 * Takes as long as the output is large: call it in a worker.
 */
export function decompress(body: Uint8Array, compression: Compression, bodyMaxBytes: number): Uint8Array | Refusal {
  if (compression === 'identity') return body
  try {
    const { buffer, engine } = inflate(body, compression, bodyMaxBytes)
    if (engine.bytesWritten < body.length) return refused('malformed_encoding', `${compression}: bytes after the end of the data`)
    return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length)
  } catch (error) {
    if ((error as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE')
      return refused('body_too_large', `a body may have at most ${bodyMaxBytes} bytes after decompression`)
    return refused('malformed_encoding', `${compression}: ${(error as Error).message}`)
  }
}

function inflate(body: Uint8Array, compression: Exclude<Compression, 'identity'>, maxOutputLength: number): Inflated {
  const chunkSize = Math.max(CHUNK_MIN_BYTES, Math.min(announcedBytes(body, compression) + 1, maxOutputLength))
  const options = { maxOutputLength, chunkSize, info: true }
  // With `info` the result is { buffer, engine }, which the types do not say.
  if (compression === 'gzip') return gunzipSync(body, options) as unknown as Inflated
  if (compression === 'zstd') return inflateFrames(body, options)
  // "deflate" means zlib-wrapped, but some senders leave the wrapper out.
  const isWrapped = (body[0]! & 0x0f) === 8 && ((body[0]! << 8) | body[1]!) % 31 === 0
  return (isWrapped ? inflateSync(body, options) : inflateRawSync(body, options)) as unknown as Inflated
}

/** How long the body says it will be; 0 where it does not. Of several members or frames only one says so. */
function announcedBytes(body: Uint8Array, compression: Compression): number {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength)
  if (compression === 'gzip' && body.length > GZIP_TRAILER_BYTES) return view.getUint32(body.length - GZIP_TRAILER_BYTES, true)
  if (compression !== 'zstd' || body.length < ZSTD_SIZE_AT + 8) return 0
  const descriptor = body[4]!
  const isSingle = (descriptor & 0x20) !== 0
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3]!
  const at = ZSTD_SIZE_AT + (isSingle ? 0 : 1) + dictionaryBytes
  const sizeBytes = [isSingle ? 1 : 0, 2, 4, 8][descriptor >>> 6]!
  if (sizeBytes === 2) return view.getUint16(at, true) + 256
  return sizeBytes >= 4 && body.length >= at + 4 ? view.getUint32(at, true) : 0
}

/** zlib's own decoder stops behind the first frame. */
function inflateFrames(body: Uint8Array, options: { maxOutputLength: number; chunkSize: number }): Inflated {
  const parts: Buffer[] = []
  let bytesWritten = 0
  let room = options.maxOutputLength
  do {
    const params = { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG_MAX }
    const chunkSize = parts.length === 0 ? options.chunkSize : CHUNK_MIN_BYTES
    const frame = { ...options, chunkSize, params, maxOutputLength: Math.max(1, room) }
    const { buffer, engine } = zstdDecompressSync(body.subarray(bytesWritten), frame) as unknown as Inflated
    room -= buffer.length
    if (room < 0) throw Object.assign(new RangeError('too large'), { code: 'ERR_BUFFER_TOO_LARGE' })
    parts.push(buffer)
    bytesWritten += engine.bytesWritten
  } while (bytesWritten < body.length && parts.length < ZSTD_FRAMES_MAX)
  return { buffer: parts.length === 1 ? parts[0]! : Buffer.concat(parts), engine: { bytesWritten } }
}
