import type { AttributeFilter } from './attribute-filter.ts'
import { startsWith } from './byte-keys.ts'
import { decodeEnvelopes } from './decode-envelopes.ts'
import { copyBytes, type DecodeSource, decodeAnyValue, decodeKeyValue, VALUES_SHOWN_MAX } from './decode-value.ts'
import { usualKeyAt } from './key-value-form.ts'
import { LOG_RECORD_ID_KEY } from './log-keys.ts'
import type { LogInContext, OtlpLog } from './model.ts'
import { readText } from './read-text.ts'
import { readTag, readVarint32, skipField, varintEnd } from './wire.ts'

const NO_BYTES = new Uint8Array(0)

/**
 * Every record of an ExportLogsServiceRequest in wire order: the i-th is row i of `scanLogs`. With a filter only the
 * attributes that it wants are decoded, and the id that the door has written. Throws `OtlpDecodeError` where the bytes are no protobuf. A record of more than
 * 262,144 list elements is shown without the rest.
 */
export function decodeLogs(body: Uint8Array, filter?: AttributeFilter): Generator<LogInContext> {
  return decodeEnvelopes(body, (source, start, end, { resource, scope }) => ({
    resource,
    scope,
    log: decodeLog(source, start, end, filter ?? null),
  }))
}

/** Reads the content of a LogRecord message. */
function decodeLog(source: DecodeSource, start: number, end: number, filter: AttributeFilter | null): OtlpLog {
  const { bytes } = source
  source.budget = VALUES_SHOWN_MAX
  const log = emptyLog()
  for (let p = start; p < end; ) {
    const tag = readTag(bytes, p, end)
    p = varintEnd(bytes, p, end)
    const next = skipField(bytes, tag, p, end)
    const at = (tag & 7) === 2 ? varintEnd(bytes, p, end) : p
    if (tag === 0x32) {
      if (source.budget-- > 0) decodeKeyValue(source, at, next, log.attributes, isRecordId(bytes, at, next) ? null : filter)
      else log.droppedAttributesCount++
    } else decodeField(source, log, tag, at, next)
    p = next
  }
  return log
}

const RECORD_ID_KEY = new TextEncoder().encode(LOG_RECORD_ID_KEY)

/** Whoever reads a kept record must know its name, whatever else is wanted. */
function isRecordId(bytes: Uint8Array, start: number, end: number): boolean {
  const keyAt = usualKeyAt(bytes, start, end)
  return keyAt >= 0 && bytes[keyAt - 1] === RECORD_ID_KEY.length && startsWith(bytes, keyAt, RECORD_ID_KEY)
}

function emptyLog(): OtlpLog {
  return {
    traceId: NO_BYTES,
    spanId: NO_BYTES,
    flags: 0,
    timeUnixNano: 0n,
    observedTimeUnixNano: 0n,
    severityNumber: 0,
    severityText: '',
    eventName: '',
    body: null,
    attributes: new Map(),
    droppedAttributesCount: 0,
  }
}

function decodeField(source: DecodeSource, log: OtlpLog, tag: number, at: number, end: number): void {
  const { bytes, float } = source
  if (tag === 0x09) log.timeUnixNano = float.getBigUint64(at, true)
  else if (tag === 0x59) log.observedTimeUnixNano = float.getBigUint64(at, true)
  else if (tag === 0x10) log.severityNumber = readVarint32(bytes, at, end)
  else if (tag === 0x1a) log.severityText = readText(source, at, end)
  else if (tag === 0x2a) log.body = decodeAnyValue(source, at, end, 1, log.body)
  else if (tag === 0x38) log.droppedAttributesCount = readVarint32(bytes, at, end) >>> 0
  else if (tag === 0x45) log.flags = float.getUint32(at, true)
  else if (tag === 0x4a) log.traceId = copyBytes(bytes, at, end)
  else if (tag === 0x52) log.spanId = copyBytes(bytes, at, end)
  else if (tag === 0x62) log.eventName = readText(source, at, end)
}
