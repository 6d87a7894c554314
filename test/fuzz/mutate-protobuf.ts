import type { Random } from '../demo/random.ts'
import { below, chance, oneOf } from './pick-random.ts'
import { type ProtoField, replaceInMessage, varintOf } from './proto-fields.ts'

/** A message whose fields are known. */
export interface ProtoBody {
  bytes: Buffer
  fields: readonly ProtoField[]
}

type MutateFields = (random: Random, body: ProtoBody, field: ProtoField, other: ProtoBody) => Buffer

/** Lengths and numbers where readers go wrong: ends of varint sizes, of 32 and of 64 bits, and more than ten bytes. */
const EDGE_VARINTS = [
  ...[0, 1, 7, 8, 15, 16, 127, 128, 16_383, 16_384, 2 ** 21, 2 ** 28, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32].map(varintOf),
  ...[2n ** 53n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n].map(varintOf),
  Buffer.from('80808080808080808000', 'hex'),
  Buffer.from('ffffffffffffffffffff01', 'hex'),
  Buffer.from('8080808010', 'hex'),
  Buffer.from('8100', 'hex'),
]

const EDGE_FIXED = ['0000000000000000', 'ffffffffffffffff', 'ffffffffffffff7f', '0000000000000080', '000000000000f07f'].map(
  (hex) => Buffer.from(hex, 'hex'),
)

const UNKNOWN_FIELDS = [
  Buffer.from('f83f01', 'hex'),
  Buffer.from('fa3f03616263', 'hex'),
  // Groups: one closed, one closed under another number, one left open, an end without a start.
  Buffer.from('a306a006010aa406', 'hex'),
  Buffer.from('a306ac06', 'hex'),
  Buffer.from('a306', 'hex'),
  Buffer.from('a406', 'hex'),
  Buffer.from('0000', 'hex'),
]

/** An AnyValue of `levels` arrays or kvlists in each other, around a text. */
function nested(random: Random, levels: number): Buffer {
  const ofLists = chance(random, 0.5)
  let value = Buffer.from('0a0164', 'hex')
  for (let level = 0; level < levels; level++) {
    const element = ofLists ? value : Buffer.concat([Buffer.from('0a016b12', 'hex'), varintOf(value.length), value])
    const list = Buffer.concat([Buffer.from([0x0a]), varintOf(element.length), element])
    value = Buffer.concat([Buffer.from([ofLists ? 0x2a : 0x32]), varintOf(list.length), list])
  }
  return value
}

const whole = ({ tagAt, end }: ProtoField): [number, number] => [tagAt, end]
const cutOut = ({ bytes }: ProtoBody, { tagAt, end }: ProtoField): Buffer => bytes.subarray(tagAt, end)

/** The same edit with the lengths around made right, or, now and then, left wrong. */
function replace(random: Random, body: ProtoBody, field: ProtoField, at: readonly [number, number], by: Uint8Array): Buffer {
  const parent = chance(random, 0.75) ? field.parent : -1
  return replaceInMessage(body.bytes, body.fields, parent, at, by)
}

const FIELD_MUTATIONS: readonly MutateFields[] = [
  function repeatField(random, body, field) {
    const copy = cutOut(body, field)
    return replace(random, body, field, [field.end, field.end], chance(random, 0.2) ? Buffer.concat([copy, copy, copy]) : copy)
  },
  function dropField(random, body, field) {
    return replace(random, body, field, whole(field), Buffer.alloc(0))
  },
  function moveFieldToFront(random, body, field) {
    const start = field.parent < 0 ? 0 : body.fields[field.parent]!.start
    const before = body.bytes.subarray(start, field.tagAt)
    return replace(random, body, field, [start, field.end], Buffer.concat([cutOut(body, field), before]))
  },
  function emptyField(random, body, field) {
    const tag = body.bytes.subarray(field.tagAt, field.lengthAt)
    return replace(random, body, field, whole(field), Buffer.concat([tag, Buffer.from([0])]))
  },
  function takeFieldOfOther(random, body, field, other) {
    if (other.fields.length === 0) return body.bytes
    return replace(random, body, field, whole(field), cutOut(other, oneOf(random, other.fields)))
  },
  function putFieldElsewhere(random, body, field) {
    return replace(random, body, field, [field.end, field.end], cutOut(body, oneOf(random, body.fields)))
  },
  function editLength(random, body, field) {
    const to = field.wireType === 2 ? field.start : field.end
    const near = varintOf(Math.max(0, field.end - field.start + below(random, 7) - 3))
    const length = chance(random, 0.5) ? near : oneOf(random, EDGE_VARINTS)
    return replace(random, body, field, [field.lengthAt, to], length)
  },
  function editWireType(random, body, field) {
    const tag = (body.bytes[field.tagAt]! & ~7) | below(random, 8)
    return replace(random, body, field, [field.tagAt, field.tagAt + 1], Buffer.from([tag]))
  },
  function editNumber(random, body, field) {
    const tag = chance(random, 0.8)
      ? varintOf((chance(random, 0.1) ? 1000 : below(random, 20)) * 8 + field.wireType)
      : oneOf(random, EDGE_VARINTS)
    return replace(random, body, field, [field.tagAt, field.lengthAt], tag)
  },
  function editValue(random, body, field) {
    if (field.wireType === 0) return replace(random, body, field, [field.start, field.end], oneOf(random, EDGE_VARINTS))
    const edge = oneOf(random, EDGE_FIXED)
    const content = field.wireType === 2 ? edge.subarray(0, below(random, 9)) : edge.subarray(0, field.end - field.start)
    const prefix = field.wireType === 2 ? varintOf(content.length) : Buffer.alloc(0)
    return replace(random, body, field, [field.lengthAt, field.end], Buffer.concat([prefix, content]))
  },
  function longerLength(random, body, field) {
    if (field.wireType !== 2) return body.bytes
    const length = field.end - field.start
    const padded = Buffer.from([
      (length & 0x7f) | 0x80,
      ((length >> 7) & 0x7f) | 0x80,
      ((length >> 14) & 0x7f) | 0x80,
      0x80,
      0x00,
    ])
    return replace(random, body, field, [field.lengthAt, field.start], padded)
  },
  function addUnknownField(random, body, field) {
    return replace(random, body, field, [field.end, field.end], oneOf(random, UNKNOWN_FIELDS))
  },
  function nestDeeply(random, body, field) {
    const value = nested(random, chance(random, 0.7) ? 60 + below(random, 8) : below(random, 200))
    const keyValue = Buffer.concat([Buffer.from('0a017812', 'hex'), varintOf(value.length), value])
    const attribute = Buffer.concat([oneOf(random, [Buffer.from([0x4a]), Buffer.from([0x0a]), Buffer.from([0x1a])])])
    return replace(random, body, field, [field.end, field.end], Buffer.concat([attribute, varintOf(keyValue.length), keyValue]))
  },
]

/** Changes a message in one of its fields, at any depth. */
export function mutateProtobuf(random: Random, body: ProtoBody, other: ProtoBody): Buffer {
  if (body.fields.length === 0) return body.bytes
  return oneOf(random, FIELD_MUTATIONS)(random, body, oneOf(random, body.fields), other)
}
