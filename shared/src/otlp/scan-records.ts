import { SPAN_ID_BYTES, TRACE_ID_BYTES } from './ids.ts'
import { createSpanTable, growSpanTable, type SpanTable } from './span-table.ts'
import { keyValueFits } from './walk-any-value.ts'
import { readTag, skipField, varintEnd } from './wire.ts'

/** Why a record is refused, alone: its neighbours are stored. A scan's `reject` holds the index; 0 is accepted. */
export const REJECT_REASONS = [
  'accepted',
  'trace_id_empty',
  'trace_id_zero',
  'trace_id_wrong_length',
  'span_id_empty',
  'span_id_zero',
  'span_id_wrong_length',
  'parent_id_wrong_length',
  'value_too_deep',
] as const

export const ACCEPTED = 0
export const TOO_DEEP = REJECT_REASONS.indexOf('value_too_deep')

/** What is wrong with an id, in the order of its reasons above. */
export const SOUND = 0
export const EMPTY = 1
export const ZERO = 2
export const WRONG_LENGTH = 3

/**
 * The records of a request, one row each in wire order. Offsets point into the body that was scanned; an id that is absent
 * or unusable is `ABSENT` (0xffffffff).
 */
export interface TraceScan {
  count: number
  spanStart: Uint32Array
  spanEnd: Uint32Array
  traceIdAt: Uint32Array
  spanIdAt: Uint32Array
  parentIdAt: Uint32Array
  startNano: BigUint64Array
  endNano: BigUint64Array
  reject: Uint8Array
  /** 1 where the record tells of an error. */
  hasError: Uint8Array
}

export interface RecordWalk {
  body: Uint8Array
  table: SpanTable
  count: number
  levels: number
}

/** Walks one record, the content of its message, and fills row `walk.count`. */
export type ScanRecord<W extends RecordWalk> = (walk: W, start: number, end: number) => void

/** Field 1000 is the place where senders of before 2022 put their scopes. */
const OLD_SCOPE_TAG = (1000 << 3) | 2

/** What a walk begins with. `recordBytes`: the guessed size of a record; a wrong guess costs one doubling. */
export function beginWalk(body: Uint8Array, levels: number, recordBytes: number): RecordWalk {
  return { body, table: createSpanTable(Math.ceil(body.length / recordBytes) + 8), count: 0, levels }
}

/**
 * Walks an export request, whose envelopes traces and logs number alike. Records under a resource or scope with a value
 * nested too deep are refused with it. Throws `OtlpDecodeError` where the bytes are no protobuf.
 */
export function scanRecords<W extends RecordWalk>(walk: W, scanRecord: ScanRecord<W>): TraceScan {
  const { body } = walk
  const end = body.length
  let p = 0
  while (p < end) {
    const tag = readTag(body, p, end)
    p = varintEnd(body, p, end)
    const next = skipField(body, tag, p, end)
    if (tag === 0x0a) scanResource(walk, varintEnd(body, p, end), next, scanRecord)
    p = next
  }
  const { table, count } = walk
  return {
    count,
    spanStart: table.spanStart.subarray(0, count),
    spanEnd: table.spanEnd.subarray(0, count),
    traceIdAt: table.traceIdAt.subarray(0, count),
    spanIdAt: table.spanIdAt.subarray(0, count),
    parentIdAt: table.parentIdAt.subarray(0, count),
    startNano: table.startNano.subarray(0, count),
    endNano: table.endNano.subarray(0, count),
    reject: table.reject.subarray(0, count),
    hasError: table.hasError.subarray(0, count),
  }
}

function scanResource<W extends RecordWalk>(walk: W, start: number, end: number, scanRecord: ScanRecord<W>): void {
  const { body } = walk
  const first = walk.count
  let fits = true
  let p = start
  while (p < end) {
    const tag = readTag(body, p, end)
    p = varintEnd(body, p, end)
    const next = skipField(body, tag, p, end)
    if (tag === 0x12 || tag === OLD_SCOPE_TAG) scanScope(walk, varintEnd(body, p, end), next, scanRecord)
    else if (tag === 0x0a && !attributesFit(body, varintEnd(body, p, end), next, 0x0a, walk.levels)) fits = false
    p = next
  }
  if (!fits) rejectFrom(walk, first)
}

function scanScope<W extends RecordWalk>(walk: W, start: number, end: number, scanRecord: ScanRecord<W>): void {
  const { body, table } = walk
  const first = walk.count
  let fits = true
  let p = start
  while (p < end) {
    const tag = readTag(body, p, end)
    p = varintEnd(body, p, end)
    const next = skipField(body, tag, p, end)
    if (tag === 0x12) {
      if (walk.count === table.capacity) growSpanTable(table)
      scanRecord(walk, varintEnd(body, p, end), next)
      walk.count++
    } else if (tag === 0x0a && !attributesFit(body, varintEnd(body, p, end), next, 0x1a, walk.levels)) fits = false
    p = next
  }
  if (!fits) rejectFrom(walk, first)
}

function rejectFrom(walk: RecordWalk, first: number): void {
  const { reject } = walk.table
  for (let i = first; i < walk.count; i++) if (reject[i] === ACCEPTED) reject[i] = TOO_DEEP
}

export function traceIdFault(body: Uint8Array, at: number, end: number): number {
  return idFault(body, at, end, TRACE_ID_BYTES)
}

export function spanIdFault(body: Uint8Array, at: number, end: number): number {
  return idFault(body, at, end, SPAN_ID_BYTES)
}

function idFault(body: Uint8Array, at: number, end: number, size: number): number {
  if (end - at !== size) return at === end ? EMPTY : WRONG_LENGTH
  for (let p = at; p < end; p++) if (body[p] !== 0) return SOUND
  return ZERO
}

/** A fixed64 as the two words of its row. */
export function writeTime(words: Uint32Array, row: number, body: Uint8Array, at: number): void {
  words[row * 2] = body[at]! | (body[at + 1]! << 8) | (body[at + 2]! << 16) | (body[at + 3]! << 24)
  words[row * 2 + 1] = body[at + 4]! | (body[at + 5]! << 8) | (body[at + 6]! << 16) | (body[at + 7]! << 24)
}

/** Walks a message that holds attributes under `attributeTag` and checks all of it. */
export function attributesFit(body: Uint8Array, start: number, end: number, attributeTag: number, levels: number): boolean {
  let fits = true
  let p = start
  while (p < end) {
    const tag = readTag(body, p, end)
    p = varintEnd(body, p, end)
    const next = skipField(body, tag, p, end)
    if (tag === attributeTag && !keyValueFits(body, varintEnd(body, p, end), next, levels)) fits = false
    p = next
  }
  return fits
}
