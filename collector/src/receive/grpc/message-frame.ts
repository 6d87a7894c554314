import { type Compression, parseContentEncoding } from '../content-encoding.ts'
import { type Refusal, refused } from '../outcome.ts'

/** Of a gRPC message: one byte that says whether it is compressed, four with its length (gRPC over HTTP/2). */
export const PREFIX_BYTES = 5

/** What `grpc-accept-encoding` says. */
export const ACCEPTED_GRPC_ENCODINGS = 'identity,deflate,gzip,zstd'

export interface AnnouncedMessage {
  bytes: number
  compression: Compression
}

/**
 * What the prefix of a message and the call's `grpc-encoding` announce, or why the message is refused before a byte of
 * it is read.
 */
export function judgePrefix(prefix: Uint8Array, encoding: string | undefined, bodyMaxBytes: number): AnnouncedMessage | Refusal {
  const [flag, a, b, c, d] = prefix as unknown as [number, number, number, number, number]
  const bytes = a * 2 ** 24 + ((b << 16) | (c << 8) | d)
  if (flag > 1) return refused('malformed_encoding', 'the message starts with an unknown flag')
  const compression = flag === 0 ? 'identity' : parseContentEncoding(encoding)
  if (!compression) return refused('encoding_unsupported', `supported encodings: ${ACCEPTED_GRPC_ENCODINGS}`)
  if (flag === 1 && compression === 'identity')
    return refused('malformed_encoding', 'the message says that it is compressed, and grpc-encoding does not say how')
  if (bytes > bodyMaxBytes) return refused('body_too_large', `a message may have at most ${bodyMaxBytes} bytes`)
  return { bytes, compression }
}

/** An uncompressed message with its prefix. An empty one is five bytes: strict clients fail a call without any message. */
export function frameMessage(message: Uint8Array): Uint8Array {
  const frame = new Uint8Array(PREFIX_BYTES + message.length)
  new DataView(frame.buffer).setUint32(1, message.length)
  frame.set(message, PREFIX_BYTES)
  return frame
}
