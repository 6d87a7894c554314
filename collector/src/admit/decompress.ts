import { gunzipSync, inflateRawSync, inflateSync, zstdDecompressSync } from 'node:zlib'
import type { Compression } from '../receive/content-encoding.ts'
import { type Refusal, refused } from '../receive/outcome.ts'

/** Output is made in pieces of this size; the default of 16 kB costs a third of the time. */
const CHUNK_BYTES = 256 * 1024

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
  const options = { maxOutputLength, chunkSize: CHUNK_BYTES, info: true }
  // With `info` the result is { buffer, engine }, which the types do not say.
  if (compression === 'gzip') return gunzipSync(body, options) as unknown as Inflated
  if (compression === 'zstd') return inflateFrames(body, options)
  // "deflate" means zlib-wrapped, but some senders leave the wrapper out.
  const isWrapped = (body[0]! & 0x0f) === 8 && ((body[0]! << 8) | body[1]!) % 31 === 0
  return (isWrapped ? inflateSync(body, options) : inflateRawSync(body, options)) as unknown as Inflated
}

/** zlib's own decoder stops behind the first frame. */
function inflateFrames(body: Uint8Array, options: { maxOutputLength: number; chunkSize: number }): Inflated {
  const parts: Buffer[] = []
  let bytesWritten = 0
  let room = options.maxOutputLength
  do {
    const frame = { ...options, maxOutputLength: Math.max(1, room) }
    const { buffer, engine } = zstdDecompressSync(body.subarray(bytesWritten), frame) as unknown as Inflated
    room -= buffer.length
    if (room < 0) throw Object.assign(new RangeError('too large'), { code: 'ERR_BUFFER_TOO_LARGE' })
    parts.push(buffer)
    bytesWritten += engine.bytesWritten
  } while (bytesWritten < body.length && parts.length < ZSTD_FRAMES_MAX)
  return { buffer: parts.length === 1 ? parts[0]! : Buffer.concat(parts), engine: { bytesWritten } }
}
