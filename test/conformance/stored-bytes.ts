import { join } from 'node:path'
import { zstdDecompressSync } from 'node:zlib'
import Database from 'better-sqlite3'

/** A field of a message as it lies on the wire. */
export interface WireField {
  number: number
  wireType: number
  /** Content of a length-delimited field, the bytes of any other. */
  bytes: Buffer
}

/** A span as its message lies in a request, with the envelopes around it. */
export interface SpanBytes {
  traceId: string
  spanId: string
  span: Buffer
  resource: Buffer
  scope: Buffer
}

/** Every span of a request, in wire order. Nothing of the product's own code is used. */
export function spansIn(request: Buffer): SpanBytes[] {
  return fieldsOf(request)
    .filter(isMessage(1))
    .flatMap((envelope) => {
      const parts = fieldsOf(envelope.bytes)
      const resource = joined(parts.filter(isMessage(1)))
      return parts.filter(isScopeSpans).flatMap((scopeSpans) => {
        const inside = fieldsOf(scopeSpans.bytes)
        const scope = joined(inside.filter(isMessage(1)))
        return inside.filter(isMessage(2)).map(({ bytes }) => {
          const fields = fieldsOf(bytes)
          return { traceId: idIn(fields, 1), spanId: idIn(fields, 2), span: bytes, resource, scope }
        })
      })
    })
}

/** Every copy of the spans of a trace in the store that came at `sinceMs` or later. The file is read beside the product. */
export function readStoredSpans(dataDir: string, traceId: string, sinceMs: number): SpanBytes[] {
  const db = new Database(join(dataDir, 'telemetry.db'), { readonly: true })
  try {
    const rows = db
      .prepare("select body from segment where kind = 'span' and received_max_ms >= ? order by first_commit, segment_id")
      .all(sinceMs)
    return rows
      .flatMap((row) => spansIn(zstdDecompressSync((row as { body: Uint8Array }).body)))
      .filter((span) => span.traceId === traceId)
  } finally {
    db.close()
  }
}

const joined = (fields: readonly WireField[]): Buffer => Buffer.concat(fields.map(({ bytes }) => bytes))

/** Field 1000 is where senders of before 2022 have them. */
const isScopeSpans = (field: WireField): boolean => isMessage(2)(field) || isMessage(1000)(field)

const isMessage =
  (number: number) =>
  (field: WireField): boolean =>
    field.number === number && field.wireType === 2

/** Of an id that comes twice the last counts. */
const idIn = (fields: readonly WireField[], number: number): string =>
  fields.findLast(isMessage(number))?.bytes.toString('hex') ?? ''

/** The fields of a message, groups as one; throws where it is none. */
export function fieldsOf(message: Buffer): WireField[] {
  const cursor = { at: 0 }
  const fields: WireField[] = []
  while (cursor.at < message.length) fields.push(nextField(message, cursor))
  return fields
}

function nextField(message: Buffer, cursor: { at: number }): WireField {
  const tag = varint(message, cursor)
  const [number, wireType] = [Math.floor(tag / 8), tag % 8]
  const start = cursor.at
  if (wireType === 0) varint(message, cursor)
  else if (wireType === 1) cursor.at += 8
  else if (wireType === 5) cursor.at += 4
  else if (wireType === 3) while (nextField(message, cursor).wireType !== 4);
  else if (wireType === 2) {
    const length = varint(message, cursor)
    const content = cursor.at
    cursor.at += length
    if (cursor.at > message.length) throw new Error('a field beyond its message')
    return { number, wireType, bytes: message.subarray(content, cursor.at) }
  } else if (wireType !== 4) throw new Error(`wire type ${wireType}`)
  return { number, wireType, bytes: message.subarray(start, cursor.at) }
}

function varint(message: Buffer, cursor: { at: number }): number {
  let value = 0
  for (let shift = 1; ; shift *= 128) {
    const byte = message[cursor.at++]
    if (byte === undefined) throw new Error('a varint beyond its message')
    value += (byte % 128) * shift
    if (byte < 128) return value
  }
}
