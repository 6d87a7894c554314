import { malformedProtobuf, readTag, readVarint, skipField, varintEnd } from '../../otlp/wire.ts'
import { nominate } from './nominate.ts'
import { type Redaction, redactAttribute, redactText, redactValue } from './redact-value.ts'

const TEXT = 1
const ATTRIBUTE = 2
const VALUE = 3

/** What a message has that can hold a secret, by field number: a text, a KeyValue, an AnyValue, or a message of such. */
type Part = typeof TEXT | typeof ATTRIBUTE | typeof VALUE | Parts
type Parts = readonly (Part | undefined)[]

function parts(byField: { [field: number]: Part }): Parts {
  return Array.from({ length: 16 }, (_, field) => byField[field])
}

const EVENT = parts({ 2: TEXT, 3: ATTRIBUTE })
const LINK = parts({ 3: TEXT, 4: ATTRIBUTE })
const STATUS = parts({ 2: TEXT })
const SPAN = parts({ 3: TEXT, 5: TEXT, 9: ATTRIBUTE, 11: EVENT, 13: LINK, 15: STATUS })
const LOG = parts({ 3: TEXT, 5: VALUE, 6: ATTRIBUTE, 12: TEXT })
const SCOPE = parts({ 1: TEXT, 2: TEXT, 3: ATTRIBUTE })

/** Field 1000 of a resource's envelope is the place where senders of before 2022 put their scopes. */
const OLD_SCOPE = 1000
const OF_RESOURCE_FIELDS = 1001

/** An export request of these records. */
function requestOf(record: Parts): Parts {
  const ofScope = parts({ 1: SCOPE, 2: record, 3: TEXT })
  const ofResource: (Part | undefined)[] = new Array(OF_RESOURCE_FIELDS).fill(undefined)
  ofResource[1] = parts({ 1: ATTRIBUTE })
  ofResource[2] = ofScope
  ofResource[3] = TEXT
  ofResource[OLD_SCOPE] = ofScope
  return parts({ 1: ofResource })
}

const TRACES = requestOf(SPAN)
const LOGS = requestOf(LOG)

/**
 * Overwrites the secrets in an ExportTraceServiceRequest with `*`, in place and to the same length, and says how many
 * values were changed. Looks at every text and bytes value of span, event, link, status, resource and scope: for what
 * has the shape of a secret, and for whatever stands under a key that names one (contract §2). Keys, numbers and ids are
 * never changed, so the message stays as sound as it was. A second pass finds nothing. Throws `OtlpDecodeError` where
 * the bytes are no protobuf.
 */
export function redactTraces(body: Uint8Array): number {
  return redactRequest(body, TRACES)
}

/** As `redactTraces`, for an ExportLogsServiceRequest: also in bodies, names of events and texts of severities. */
export function redactLogs(body: Uint8Array): number {
  return redactRequest(body, LOGS)
}

function redactRequest(body: Uint8Array, request: Parts): number {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  const r: Redaction = { bytes, places: nominate(bytes), next: 0, count: 0 }
  redactMessage(r, request, 0, bytes.length)
  return r.count
}

function redactMessage(r: Redaction, byField: Parts, start: number, end: number): void {
  const { bytes } = r
  let p = start
  while (p < end) {
    let tag = bytes[p++]!
    if (tag >= 0x80) {
      tag = readTag(bytes, p - 1, end)
      p = varintEnd(bytes, p - 1, end)
    }
    if ((tag & 7) !== 2) {
      p = skipField(bytes, tag, p, end)
      continue
    }
    let length = bytes[p++]!
    if (length >= 0x80) {
      if (bytes[p]! < 0x80) length = (length & 0x7f) | (bytes[p++]! << 7)
      else {
        length = readVarint(bytes, p - 1, end)
        p = varintEnd(bytes, p - 1, end)
      }
    }
    const at = p
    p += length
    // Also true for NaN, which is what reading behind the body gives.
    if (!(p <= end)) break
    const part = byField[tag >>> 3]
    if (part === ATTRIBUTE) redactAttribute(r, at, p)
    else if (part === TEXT) redactText(r, at, p)
    else if (part === VALUE) redactValue(r, at, p, 1, false)
    else if (part !== undefined) redactMessage(r, part, at, p)
  }
  if (p !== end) throw malformedProtobuf('truncated message', start)
}
