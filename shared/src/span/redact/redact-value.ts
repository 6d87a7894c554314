import { usualKeyAt, usualValueAt, usualValueEnd } from '../../otlp/key-value-form.ts'
import { readTag, skipField, varintEnd } from '../../otlp/wire.ts'
import { isSecretKey } from './secret-keys.ts'
import { secretMemberRanges } from './secret-members.ts'
import { secretRanges } from './secret-shapes.ts'

const STAR = 0x2a

/** Deeper values are left alone: a scan refuses their spans long before (64), so this only guards the stack. */
const DEPTH_MAX = 300

/** A kvlist with one secret in it takes 16 bytes; a shorter value holds none by name. */
const NAMED_SECRET_MIN_BYTES = 16

/** A body that is being redacted. */
export interface Redaction {
  bytes: Buffer
  /** Where secrets may be, in order, ended by Infinity; null: anywhere. Places before `next` are done. */
  places: readonly number[] | null
  next: number
  /** Values that were changed. */
  count: number
}

/** Overwrites the secrets in a text, where one was nominated. */
export function redactText(r: Redaction, start: number, end: number): void {
  const { bytes, places } = r
  if (places !== null) {
    while (places[r.next]! < start) r.next++
    if (places[r.next]! >= end) return
  }
  let changed = false
  const text = bytes.toString('latin1', start, end)
  for (const [from, to] of [...secretRanges(text), ...secretMemberRanges(text)]) {
    if (bytes.subarray(start + from, start + to).every((byte) => byte === STAR)) continue
    bytes.fill(STAR, start + from, start + to)
    changed = true
  }
  if (changed) r.count++
}

/** Overwrites what a KeyValue holds: all of it where its key names a secret, else the secrets in it. */
export function redactAttribute(r: Redaction, start: number, end: number, depth = 1): void {
  const { bytes } = r
  const keyAt = usualKeyAt(bytes, start, end)
  if (keyAt < 0) {
    redactUnusualAttribute(r, start, end, depth)
    return
  }
  const valueAt = usualValueAt(bytes, start, keyAt)
  const valueEnd = usualValueEnd(bytes, start, end, keyAt)
  if (isSecretKey(bytes, keyAt, keyAt + bytes[keyAt - 1]!)) redactValue(r, valueAt, valueEnd, depth, true)
  else if (isNominated(r, valueEnd) || (valueEnd - valueAt >= NAMED_SECRET_MIN_BYTES && !isOneText(bytes, valueAt, valueEnd)))
    redactValue(r, valueAt, valueEnd, depth, false)
}

/** Whether an AnyValue is a text and nothing else. */
function isOneText(bytes: Buffer, start: number, end: number): boolean {
  if (bytes[start] !== 0x0a) return false
  const length = bytes[start + 1]!
  if (length < 0x80) return start + 2 + length === end
  return bytes[start + 2]! < 0x80 && start + 3 + (length & 0x7f) + bytes[start + 2]! * 128 === end
}

function isNominated(r: Redaction, before: number): boolean {
  return r.places === null || r.places[r.next]! < before
}

/** A key may come behind a long value, a value in pieces: the key is found first. */
function redactUnusualAttribute(r: Redaction, start: number, end: number, depth: number): void {
  const { bytes } = r
  let secret = false
  for (const part of [0x0a, 0x12]) {
    for (let p = start; p < end; ) {
      const tag = readTag(bytes, p, end)
      p = varintEnd(bytes, p, end)
      const next = skipField(bytes, tag, p, end)
      if (tag === part && tag === 0x0a) secret = isSecretKey(bytes, varintEnd(bytes, p, end), next)
      else if (tag === part) redactValue(r, varintEnd(bytes, p, end), next, depth, secret)
      p = next
    }
  }
}

/** Overwrites the secrets in an AnyValue, or, where it stands under the name of one, every text in it. */
export function redactValue(r: Redaction, start: number, end: number, depth: number, secret: boolean): void {
  if (depth > DEPTH_MAX) return
  const { bytes } = r
  for (let p = start; p < end; ) {
    const tag = readTag(bytes, p, end)
    p = varintEnd(bytes, p, end)
    const next = skipField(bytes, tag, p, end)
    if (tag === 0x0a || tag === 0x3a) {
      if (secret) overwrite(r, varintEnd(bytes, p, end), next)
      else redactText(r, varintEnd(bytes, p, end), next)
    } else if (tag === 0x2a || tag === 0x32) redactList(r, varintEnd(bytes, p, end), next, depth + 1, secret, tag === 0x32)
    p = next
  }
}

/** ArrayValue and KeyValueList both hold their elements in field 1. */
function redactList(r: Redaction, start: number, end: number, depth: number, secret: boolean, ofKeyValues: boolean): void {
  const { bytes } = r
  for (let p = start; p < end; ) {
    const tag = readTag(bytes, p, end)
    p = varintEnd(bytes, p, end)
    const next = skipField(bytes, tag, p, end)
    if (tag === 0x0a) {
      const at = varintEnd(bytes, p, end)
      if (!ofKeyValues) redactValue(r, at, next, depth, secret)
      else if (secret) overwriteValues(r, at, next, depth)
      else redactAttribute(r, at, next, depth)
    }
    p = next
  }
}

/** The values of a KeyValue under the name of a secret; its own key stays. */
function overwriteValues(r: Redaction, start: number, end: number, depth: number): void {
  const { bytes } = r
  for (let p = start; p < end; ) {
    const tag = readTag(bytes, p, end)
    p = varintEnd(bytes, p, end)
    const next = skipField(bytes, tag, p, end)
    if (tag === 0x12) redactValue(r, varintEnd(bytes, p, end), next, depth, true)
    p = next
  }
}

function overwrite(r: Redaction, start: number, end: number): void {
  const { bytes } = r
  let changed = false
  for (let p = start; p < end; p++) {
    if (bytes[p] === STAR) continue
    bytes[p] = STAR
    changed = true
  }
  if (changed) r.count++
}
