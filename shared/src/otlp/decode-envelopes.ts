import { type DecodeSource, decodeKeyValue, VALUES_SHOWN_MAX } from './decode-value.ts'
import type { Envelope, OtlpResource, OtlpScope } from './model.ts'
import { createTextSource, readText } from './read-text.ts'
import type { EnvelopeBounds, RecordBounds } from './walk-records.ts'
import { readTag, readVarint32, skipField, varintEnd } from './wire.ts'

/** Field 1000 is the place where senders of before 2022 put their scopes. */
const OLD_SCOPE_TAG = (1000 << 3) | 2

/**
 * Every record of an export request in wire order, by `decodeRecord`, which gets the bounds of its content. Traces and logs
 * number their envelopes alike. The records of one envelope share their resource and scope objects. `wants` is asked for
 * every record, in order; of an envelope in which it wants none nothing is decoded.
 */
export function* decodeEnvelopes<T>(
  body: Uint8Array,
  decodeRecord: (source: DecodeSource, start: number, end: number, envelope: Envelope) => T,
  wants: WantsRecord = () => true,
): Generator<T> {
  const source = createSource(body)
  const end = body.length
  for (let p = 0; p < end; ) {
    const tag = readTag(body, p, end)
    p = varintEnd(body, p, end)
    const next = skipField(body, tag, p, end)
    if (tag === 0x0a) yield* decodeOfResource(source, varintEnd(body, p, end), next, { decodeRecord, wants })
    p = next
  }
}

/** Decodes records where they lie, in any order; those of one envelope share their resource and scope objects. */
export function createRecordReader<T>(
  body: Uint8Array,
  decodeRecord: (source: DecodeSource, start: number, end: number, envelope: Envelope) => T,
): (record: RecordBounds) => T {
  const source = createSource(body)
  const resources = new Map<number, OtlpResource>()
  const envelopes = new Map<EnvelopeBounds, Envelope>()
  const resourceOf = ({ resourceStart, resourceEnd }: EnvelopeBounds) => {
    const resource = resources.get(resourceStart) ?? decodeResource(source, resourceStart, resourceEnd)
    resources.set(resourceStart, resource)
    return resource
  }
  return ({ start, end, envelope: bounds }) => {
    const envelope = envelopes.get(bounds) ?? {
      resource: resourceOf(bounds),
      scope: decodeScope(source, bounds.scopeStart, bounds.scopeEnd),
    }
    envelopes.set(bounds, envelope)
    return decodeRecord(source, start, end, envelope)
  }
}

function createSource(body: Uint8Array): DecodeSource {
  return { ...createTextSource(body), budget: 0, float: new DataView(body.buffer, body.byteOffset, body.byteLength) }
}

/** Whether the record whose content lies at these bytes is to be decoded. */
export type WantsRecord = (bytes: Uint8Array, start: number, end: number) => boolean

interface RecordReader<T> {
  decodeRecord: Parameters<typeof decodeEnvelopes<T>>[1]
  wants: WantsRecord
}

function* decodeOfResource<T>(source: DecodeSource, start: number, end: number, reader: RecordReader<T>): Generator<T> {
  const { bytes } = source
  let resource: OtlpResource | null = null
  const resourceOf = () => {
    resource ??= decodeResource(source, start, end)
    return resource
  }
  for (let p = start; p < end; ) {
    const tag = readTag(bytes, p, end)
    p = varintEnd(bytes, p, end)
    const next = skipField(bytes, tag, p, end)
    if (tag === 0x12 || tag === OLD_SCOPE_TAG) yield* decodeOfScope(source, varintEnd(bytes, p, end), next, reader, resourceOf)
    p = next
  }
}

function* decodeOfScope<T>(
  source: DecodeSource,
  start: number,
  end: number,
  { decodeRecord, wants }: RecordReader<T>,
  resourceOf: () => OtlpResource,
): Generator<T> {
  const { bytes } = source
  let envelope: Envelope | null = null
  for (let p = start; p < end; ) {
    const tag = readTag(bytes, p, end)
    p = varintEnd(bytes, p, end)
    const next = skipField(bytes, tag, p, end)
    if (tag === 0x12) {
      const at = varintEnd(bytes, p, end)
      if (wants(bytes, at, next)) {
        envelope ??= { resource: resourceOf(), scope: decodeScope(source, start, end) }
        yield decodeRecord(source, at, next, envelope)
      }
    }
    p = next
  }
}

/** The resource of its envelope, wherever it stands in it, and merged where it comes in pieces. */
function decodeResource(source: DecodeSource, start: number, end: number): OtlpResource {
  const { bytes } = source
  const resource: OtlpResource = { attributes: new Map(), droppedAttributesCount: 0, schemaUrl: '' }
  for (let p = start; p < end; ) {
    const tag = readTag(bytes, p, end)
    p = varintEnd(bytes, p, end)
    const next = skipField(bytes, tag, p, end)
    if (tag === 0x0a) mergeResource(source, varintEnd(bytes, p, end), next, resource)
    else if (tag === 0x1a) resource.schemaUrl = readText(source, varintEnd(bytes, p, end), next)
    p = next
  }
  return resource
}

function mergeResource(source: DecodeSource, start: number, end: number, into: OtlpResource): void {
  const { bytes } = source
  source.budget = VALUES_SHOWN_MAX
  for (let p = start; p < end; ) {
    const tag = readTag(bytes, p, end)
    p = varintEnd(bytes, p, end)
    const next = skipField(bytes, tag, p, end)
    if (tag === 0x0a) decodeKeyValue(source, varintEnd(bytes, p, end), next, into.attributes, null)
    else if (tag === 0x10) into.droppedAttributesCount = readVarint32(bytes, p, end) >>> 0
    p = next
  }
}

function decodeScope(source: DecodeSource, start: number, end: number): OtlpScope {
  const { bytes } = source
  const scope: OtlpScope = { name: '', version: '', attributes: new Map(), droppedAttributesCount: 0, schemaUrl: '' }
  for (let p = start; p < end; ) {
    const tag = readTag(bytes, p, end)
    p = varintEnd(bytes, p, end)
    const next = skipField(bytes, tag, p, end)
    if (tag === 0x0a) mergeScope(source, varintEnd(bytes, p, end), next, scope)
    else if (tag === 0x1a) scope.schemaUrl = readText(source, varintEnd(bytes, p, end), next)
    p = next
  }
  return scope
}

function mergeScope(source: DecodeSource, start: number, end: number, into: OtlpScope): void {
  const { bytes } = source
  source.budget = VALUES_SHOWN_MAX
  for (let p = start; p < end; ) {
    const tag = readTag(bytes, p, end)
    p = varintEnd(bytes, p, end)
    const next = skipField(bytes, tag, p, end)
    const at = (tag & 7) === 2 ? varintEnd(bytes, p, end) : p
    if (tag === 0x0a) into.name = readText(source, at, next)
    else if (tag === 0x12) into.version = readText(source, at, next)
    else if (tag === 0x1a) decodeKeyValue(source, at, next, into.attributes, null)
    else if (tag === 0x20) into.droppedAttributesCount = readVarint32(bytes, p, end) >>> 0
    p = next
  }
}
