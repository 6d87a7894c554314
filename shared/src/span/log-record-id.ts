import { createHash } from 'node:crypto'
import { encodeResource, encodeScope } from '../otlp/encode-envelopes.ts'
import { encodeLog } from '../otlp/encode-logs.ts'
import { SPAN_ID_BYTES } from '../otlp/ids.ts'
import { LOG_RECORD_ID_KEY } from '../otlp/log-keys.ts'
import type { Envelope, LogInContext, OtlpAttributes, OtlpValue } from '../otlp/model.ts'
import { ProtoWriter } from '../otlp/proto-writer.ts'

/** The 8 bytes that stand for the span id in the id of a log record. */
export type LogRecordHasher = (ctx: LogInContext) => Uint8Array

/**
 * The first 8 bytes of SHA-256 over one message of three fields: 1 the Resource, 2 the InstrumentationScope, 3 the
 * LogRecord, in canonical protobuf. That is: fields in the order of their numbers, those of a default value left out, whole
 * numbers as integers, attributes and kvlists in the order of their keys (the last of two same keys counts), unknown fields,
 * schema URLs and the attribute that carries this id left out, and secrets overwritten before. So the same record has the
 * same id whichever encoding or exporter brings it again, and the id tells nothing of a secret that stood in it.
 */
export function createLogRecordHasher(): LogRecordHasher {
  let last: (Envelope & { bytes: Uint8Array }) | null = null
  const envelope = new ProtoWriter(1024)
  const record = new ProtoWriter(4096)
  return ({ resource, scope, log }) => {
    if (last === null || last.resource !== resource || last.scope !== scope) {
      envelope.at = 0
      encodeResource(envelope, 0x0a, { ...resource, attributes: inOrder(resource.attributes) })
      encodeScope(envelope, 0x12, { ...scope, attributes: inOrder(scope.attributes) })
      last = { resource, scope, bytes: envelope.finish() }
    }
    record.at = 0
    const attributes = inOrder(log.attributes)
    attributes.delete(LOG_RECORD_ID_KEY)
    encodeLog(record, 0x1a, { ...log, attributes, body: valueInOrder(log.body) })
    const hash = createHash('sha256').update(last.bytes).update(record.bytes.subarray(0, record.at)).digest()
    return new Uint8Array(hash.subarray(0, SPAN_ID_BYTES))
  }
}

function inOrder(attributes: OtlpAttributes): OtlpAttributes {
  const entries = [...attributes].map(([key, value]) => [key, valueInOrder(value)] as const)
  return new Map(entries.sort(([a], [b]) => (a < b ? -1 : 1)))
}

function valueInOrder(value: OtlpValue): OtlpValue {
  if (value instanceof Map) return inOrder(value)
  return Array.isArray(value) ? value.map(valueInOrder) : value
}
