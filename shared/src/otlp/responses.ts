import { ProtoWriter } from './proto-writer.ts'

export type OtlpSignal = 'traces' | 'logs' | 'metrics'
export type OtlpEncoding = 'json' | 'protobuf'

/** A whole answer must stay far below 4 MiB (OTLP specification, "OTLP/HTTP response"); exporters print it. */
const MESSAGE_MAX_CHARACTERS = 1024

const REJECTED_FIELD = { traces: 'rejectedSpans', logs: 'rejectedLogRecords', metrics: 'rejectedDataPoints' } as const

/**
 * The body of a 200: Export{Trace,Logs,Metrics}ServiceResponse. Without `partial`, or with one that says nothing, it is
 * `{}` or zero bytes and carries no other key, since strict clients fail on any. The three signals share field numbers.
 */
export function encodeExportResponse(
  signal: OtlpSignal,
  partial: { rejected: number; message: string } | null,
  encoding: OtlpEncoding,
): Uint8Array {
  const message = partial === null ? '' : cut(partial.message)
  const rejected = partial?.rejected ?? 0
  const empty = rejected === 0 && message === ''
  if (encoding === 'json') {
    const partialSuccess = {
      ...(rejected > 0 ? { [REJECTED_FIELD[signal]]: String(rejected) } : {}),
      ...(message === '' ? {} : { errorMessage: message }),
    }
    return utf8(JSON.stringify(empty ? {} : { partialSuccess }))
  }
  const writer = new ProtoWriter(64)
  if (!empty) {
    const opened = writer.open(0x0a)
    if (rejected > 0) {
      writer.tag(0x08)
      writer.varint(rejected)
    }
    if (message !== '') writer.text(0x12, message)
    writer.close(opened)
  }
  return writer.finish()
}

/** A google.rpc.Status, the body of every 4xx and 5xx. `code` is a gRPC code, e.g. 3 for invalid, 14 for unavailable. */
export interface RpcStatus {
  code: number
  message: string
  detail?: StatusDetail
}

/** What exporters look for in a Status: whether to try again, and when; or that they never need to. */
export type StatusDetail = { kind: 'bad_request'; description: string } | { kind: 'retry_info'; afterS: number }

const DETAIL_TYPE = {
  bad_request: 'type.googleapis.com/google.rpc.BadRequest',
  retry_info: 'type.googleapis.com/google.rpc.RetryInfo',
} as const

export function encodeStatus({ code, message, detail }: RpcStatus, encoding: OtlpEncoding): Uint8Array {
  const text = cut(message)
  if (encoding === 'json')
    return utf8(JSON.stringify({ code, message: text, ...(detail && { details: [detailAsJson(detail)] }) }))
  const writer = new ProtoWriter(64)
  if (code !== 0) {
    writer.tag(0x08)
    writer.varint(code)
  }
  if (text !== '') writer.text(0x12, text)
  if (detail) writeDetail(writer, detail)
  return writer.finish()
}

function detailAsJson(detail: StatusDetail): object {
  const type = { '@type': DETAIL_TYPE[detail.kind] }
  if (detail.kind === 'retry_info') return { ...type, retryDelay: `${detail.afterS}s` }
  return { ...type, fieldViolations: [{ description: cut(detail.description) }] }
}

/** As a google.protobuf.Any. A RetryInfo has whole seconds, since peers cut what lies behind the point; a BadRequest one violation of no field in particular. */
function writeDetail(writer: ProtoWriter, detail: StatusDetail): void {
  const any = writer.open(0x1a)
  writer.text(0x0a, DETAIL_TYPE[detail.kind])
  const value = writer.open(0x12)
  const inner = writer.open(0x0a)
  if (detail.kind === 'retry_info') {
    writer.tag(0x08)
    writer.varint(detail.afterS)
  } else writer.text(0x12, cut(detail.description))
  writer.close(inner)
  writer.close(value)
  writer.close(any)
}

/** By characters, so that no surrogate pair is torn; a lone surrogate would be no UTF-8. */
function cut(message: string): string {
  const text = message.toWellFormed()
  return text.length <= MESSAGE_MAX_CHARACTERS ? text : `${text.slice(0, MESSAGE_MAX_CHARACTERS - 1).toWellFormed()}…`
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}
