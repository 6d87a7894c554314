import { malformedProtobuf, readTag, readVarint, skipField, varintEnd } from '../../otlp/wire.ts'
import { nominate } from './nominate.ts'
import { type Redaction, redactAttribute, redactText } from './redact-value.ts'

const TEXT = 1
const ATTRIBUTE = 2

/** What a message has that can hold a secret, by field number: a text, a KeyValue, or a message of such. */
type Parts = readonly (typeof TEXT | typeof ATTRIBUTE | Parts | undefined)[]

function parts(byField: { [field: number]: typeof TEXT | typeof ATTRIBUTE | Parts }): Parts {
  return Array.from({ length: 16 }, (_, field) => byField[field])
}

const EVENT = parts({ 2: TEXT, 3: ATTRIBUTE })
const LINK = parts({ 3: TEXT, 4: ATTRIBUTE })
const STATUS = parts({ 2: TEXT })
const SPAN = parts({ 3: TEXT, 5: TEXT, 9: ATTRIBUTE, 11: EVENT, 13: LINK, 15: STATUS })
const SCOPE = parts({ 1: TEXT, 2: TEXT, 3: ATTRIBUTE })
const SCOPE_SPANS = parts({ 1: SCOPE, 2: SPAN, 3: TEXT })
const RESOURCE_SPANS = parts({ 1: parts({ 1: ATTRIBUTE }), 2: SCOPE_SPANS, 3: TEXT })
const REQUEST = parts({ 1: RESOURCE_SPANS })

/** Field 1000 of ResourceSpans is the place where senders of before 2022 put their scopes. */
const OLD_SCOPE_SPANS = 1000

/**
 * Overwrites the secrets in an ExportTraceServiceRequest with `*`, in place and to the same length, and says how many
 * values were changed. Looks at every text and bytes value of span, event, link, status, resource and scope: for what
 * has the shape of a secret, and for whatever stands under a key that names one (contract §2). Keys, numbers and ids are
 * never changed, so the message stays as sound as it was. A second pass finds nothing. Throws `OtlpDecodeError` where
 * the bytes are no protobuf.
 */
export function redactTraces(body: Uint8Array): number {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  const r: Redaction = { bytes, places: nominate(bytes), next: 0, count: 0 }
  redactMessage(r, REQUEST, 0, bytes.length)
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
    const part = partOf(byField, tag >>> 3)
    if (part === ATTRIBUTE) redactAttribute(r, at, p)
    else if (part === TEXT) redactText(r, at, p)
    else if (part !== undefined) redactMessage(r, part, at, p)
  }
  if (p !== end) throw malformedProtobuf('truncated message', start)
}

function partOf(byField: Parts, field: number): Parts[number] {
  if (field < 16) return byField[field]
  return field === OLD_SCOPE_SPANS && byField === RESOURCE_SPANS ? SCOPE_SPANS : undefined
}
