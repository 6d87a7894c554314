import { createHash } from 'node:crypto'

export const TRACE_ID_BYTES = 16
export const SPAN_ID_BYTES = 8

/** Where the text of an id that was neither hex nor base64 is kept: attributes of its span, hidden when read. */
export const ORIGINAL_TRACE_ID = 'loopkit.original_trace_id'
export const ORIGINAL_SPAN_ID = 'loopkit.original_span_id'
export const ORIGINAL_PARENT_SPAN_ID = 'loopkit.original_parent_span_id'

export interface ParsedId {
  bytes: Uint8Array
  /** The text, where the bytes are only its hash. */
  original: string | null
}

/**
 * The bytes of a trace id as a person or a JSON exporter writes it: 32 hex digits in either case, else padded base64
 * (standard or URL alphabet) of 16 bytes, else any text, which stands for the first 16 bytes of its SHA-256.
 * null for the empty text and for all zero, which are no ids.
 */
export function parseTraceId(text: string): ParsedId | null {
  return parseId(text, TRACE_ID_BYTES)
}

/** As `parseTraceId`, with 8 bytes. */
export function parseSpanId(text: string): ParsedId | null {
  return parseId(text, SPAN_ID_BYTES)
}

/** Whether `bytes` are what the text of a hashed id stands for: a sender may forge the attribute that carries the text. */
export function isOriginalOf(text: string, bytes: Uint8Array): boolean {
  const parsed = parseId(text, bytes.length)
  return parsed !== null && parsed.original !== null && parsed.bytes.every((byte, i) => byte === bytes[i])
}

function parseId(text: string, size: number): ParsedId | null {
  if (text === '') return null
  const bytes = (text.length === size * 2 ? fromHex(text) : null) ?? fromPaddedBase64(text, size)
  if (bytes === null) return { bytes: hashOf(text, size), original: text }
  return bytes.some((byte) => byte !== 0) ? { bytes, original: null } : null
}

function hashOf(text: string, size: number): Uint8Array {
  return new Uint8Array(createHash('sha256').update(text, 'utf8').digest().subarray(0, size))
}

function fromPaddedBase64(text: string, size: number): Uint8Array | null {
  const length = Math.ceil(size / 3) * 4
  if (text.length !== length || !/^[A-Za-z0-9+/_-]+={1,2}$/.test(text)) return null
  const bytes = new Uint8Array(Buffer.from(text, 'base64'))
  const canonical = Buffer.from(bytes).toString('base64')
  return bytes.length === size && canonical === text.replaceAll('-', '+').replaceAll('_', '/') ? bytes : null
}

/** Lower-case hex. */
export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}

/** The bytes of hex in either case, or null for an odd length or any other character (`Buffer.from` would cut there). */
export function fromHex(text: string): Uint8Array | null {
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) return null
  return new Uint8Array(Buffer.from(text, 'hex'))
}
