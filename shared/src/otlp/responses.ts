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
export function encodeStatus(status: { code: number; message: string }, encoding: OtlpEncoding): Uint8Array {
  const message = cut(status.message)
  if (encoding === 'json') return utf8(JSON.stringify({ code: status.code, message }))
  const writer = new ProtoWriter(64)
  if (status.code !== 0) {
    writer.tag(0x08)
    writer.varint(status.code)
  }
  if (message !== '') writer.text(0x12, message)
  return writer.finish()
}

/** By characters, so that no surrogate pair is torn; a lone surrogate would be no UTF-8. */
function cut(message: string): string {
  const text = message.toWellFormed()
  return text.length <= MESSAGE_MAX_CHARACTERS ? text : `${text.slice(0, MESSAGE_MAX_CHARACTERS - 1).toWellFormed()}…`
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}
