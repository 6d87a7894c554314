import { readTag, skipField, varintEnd } from './wire.ts'

/** Where the envelopes of a record lie: the contents of its ResourceSpans and ScopeSpans, or of those of logs. */
export interface EnvelopeBounds {
  resourceStart: number
  resourceEnd: number
  scopeStart: number
  scopeEnd: number
}

/** Where a record lies in the body of an export request. */
export interface RecordBounds {
  start: number
  end: number
  envelope: EnvelopeBounds
}

/** Field 1000 is the place where senders of before 2022 put their scopes. */
const OLD_SCOPE_TAG = (1000 << 3) | 2
const RESOURCE_TAG = 0x0a
const SCOPE_OR_RECORD_TAG = 0x12

/** Visits every record of an export request in wire order, without a look into it. Records of one envelope share its bounds. */
export function walkRecords(body: Uint8Array, visit: (start: number, end: number, envelope: EnvelopeBounds) => void): void {
  eachField(body, [0, body.length], (tag, resourceStart, resourceEnd) => {
    if (tag !== RESOURCE_TAG) return
    eachField(body, [resourceStart, resourceEnd], (inner, scopeStart, scopeEnd) => {
      if (inner !== SCOPE_OR_RECORD_TAG && inner !== OLD_SCOPE_TAG) return
      const envelope = { resourceStart, resourceEnd, scopeStart, scopeEnd }
      eachField(body, [scopeStart, scopeEnd], (own, start, end) => {
        if (own === SCOPE_OR_RECORD_TAG) visit(start, end, envelope)
      })
    })
  })
}

/** Each length-delimited field of a message with the bounds of its content. */
function eachField(
  body: Uint8Array,
  [from, end]: readonly [number, number],
  visit: (tag: number, start: number, end: number) => void,
): void {
  for (let p = from; p < end; ) {
    const tag = readTag(body, p, end)
    p = varintEnd(body, p, end)
    const next = skipField(body, tag, p, end)
    if ((tag & 7) === 2) visit(tag, varintEnd(body, p, end), next)
    p = next
  }
}
