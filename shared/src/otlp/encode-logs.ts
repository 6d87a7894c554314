import { encodeEnvelopes } from './encode-envelopes.ts'
import { encodeAttributes, encodeCount, encodeEnum, encodeFlags, encodeTime, encodeValue } from './encode-value.ts'
import type { LogInContext, OtlpLog } from './model.ts'
import { ProtoWriter } from './proto-writer.ts'

/** An ExportLogsServiceRequest of these records, in their order. `decodeLogs` gives back what went in. */
export function encodeLogs(logs: readonly LogInContext[]): Uint8Array {
  const writer = new ProtoWriter(4096)
  encodeEnvelopes(writer, logs, ({ log }) => encodeLog(writer, 0x12, log))
  return writer.finish()
}

/** Writes a LogRecord as a field of this tag: fields in the order of their numbers, those of a default value left out. */
export function encodeLog(writer: ProtoWriter, tag: number, log: OtlpLog): void {
  const message = writer.open(tag)
  encodeTime(writer, 0x09, log.timeUnixNano)
  encodeEnum(writer, 0x10, log.severityNumber)
  if (log.severityText !== '') writer.text(0x1a, log.severityText)
  if (log.body !== null) {
    const body = writer.open(0x2a)
    encodeValue(writer, log.body)
    writer.close(body)
  }
  encodeAttributes(writer, 0x32, log.attributes)
  encodeCount(writer, 0x38, log.droppedAttributesCount)
  encodeFlags(writer, 0x45, log.flags)
  if (log.traceId.length > 0) writer.field(0x4a, log.traceId)
  if (log.spanId.length > 0) writer.field(0x52, log.spanId)
  encodeTime(writer, 0x59, log.observedTimeUnixNano)
  if (log.eventName !== '') writer.text(0x62, log.eventName)
  writer.close(message)
}
