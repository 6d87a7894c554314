import { encodeStatus } from '@loopkit/shared/otlp/responses'
import { type Refusal, statusOfRefusal } from '../outcome.ts'
import { ACCEPTED_GRPC_ENCODINGS } from './message-frame.ts'

/** Some clients take 8 kB of headers in all; a percent-encoded character has up to nine bytes. */
const MESSAGE_MAX_CHARACTERS = 256

/**
 * How a refusal reads over gRPC: its Status as a whole where it has a detail (OTLP specification, "OTLP/gRPC response"), padded
 * base64, which every client reads; some do not read it without.
 */
export function refusalTrailers(refusal: Refusal): Record<string, string> {
  const status = statusOfRefusal({ ...refusal, message: refusal.message.slice(0, MESSAGE_MAX_CHARACTERS) })
  return {
    'grpc-status': String(status.code),
    'grpc-message': percentEncode(status.message),
    ...(status.detail && { 'grpc-status-details-bin': Buffer.from(encodeStatus(status, 'protobuf')).toString('base64') }),
    ...(refusal.code === 'encoding_unsupported' && { 'grpc-accept-encoding': ACCEPTED_GRPC_ENCODINGS }),
  }
}

/** Everything but printable ASCII, and the percent sign, byte by byte (gRPC over HTTP/2, "Status-Message"). */
export function percentEncode(text: string): string {
  return text.toWellFormed().replace(/[^ -$&-~]+/g, encodeURIComponent)
}
