import { ProtoWriter } from '@loopkit/shared/otlp/proto-writer'
import { encodeStatus } from '@loopkit/shared/otlp/responses'
import { describeRefusal, type Refusal } from '../outcome.ts'
import { ACCEPTED_GRPC_ENCODINGS } from './message-frame.ts'

/** Some clients take 8 kB of headers in all; a percent-encoded character has up to nine bytes. */
const MESSAGE_MAX_CHARACTERS = 256
const INVALID_ARGUMENT = 3

/**
 * How a refusal reads over gRPC. Whoever may try again is told when by a google.rpc.RetryInfo, and nobody else is:
 * exporters take its presence for permission. A body that cannot be read carries a BadRequest (OTLP specification,
 * "OTLP/gRPC response").
 */
export function refusalTrailers({ code, message }: Refusal): Record<string, string> {
  const { grpcCode, retryAfterS } = describeRefusal(code)
  const text = message.slice(0, MESSAGE_MAX_CHARACTERS)
  const details = retryAfterS !== undefined ? retryInfo(retryAfterS) : grpcCode === INVALID_ARGUMENT ? badRequest(text) : null
  return {
    'grpc-status': String(grpcCode),
    'grpc-message': percentEncode(text),
    ...(details && { 'grpc-status-details-bin': encodeDetails(grpcCode, text, details) }),
    ...(code === 'encoding_unsupported' && { 'grpc-accept-encoding': ACCEPTED_GRPC_ENCODINGS }),
  }
}

/** Everything but printable ASCII, and the percent sign, byte by byte (gRPC over HTTP/2, "Status-Message"). */
export function percentEncode(text: string): string {
  return text.toWellFormed().replace(/[^ -$&-~]+/g, encodeURIComponent)
}

interface Detail {
  type: string
  value: Uint8Array
}

/** A google.rpc.Status with one detail. Padded base64, which every client reads; some do not read it without. */
function encodeDetails(code: number, message: string, { type, value }: Detail): string {
  const writer = new ProtoWriter(128)
  const detail = writer.open(0x1a)
  writer.text(0x0a, `type.googleapis.com/${type}`)
  writer.field(0x12, value)
  writer.close(detail)
  return Buffer.concat([encodeStatus({ code, message }, 'protobuf'), writer.finish()]).toString('base64')
}

/** google.rpc.RetryInfo: retry_delay is a Duration of whole seconds, since peers cut what lies behind the point. */
function retryInfo(seconds: number): Detail {
  const writer = new ProtoWriter(16)
  const delay = writer.open(0x0a)
  writer.tag(0x08)
  writer.varint(seconds)
  writer.close(delay)
  return { type: 'google.rpc.RetryInfo', value: writer.finish() }
}

/** google.rpc.BadRequest: one violation of no field in particular. */
function badRequest(description: string): Detail {
  const writer = new ProtoWriter(64)
  const violation = writer.open(0x0a)
  writer.text(0x12, description)
  writer.close(violation)
  return { type: 'google.rpc.BadRequest', value: writer.finish() }
}
