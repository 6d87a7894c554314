import type { Random } from '../demo/random.ts'
import { below, oneOf } from './pick-random.ts'

/** Changes a body without knowing what is in it. `other` is another body, for splices. */
export type MutateBytes = (random: Random, bytes: Buffer, other: Buffer) => Buffer

const EDGE_BYTES = [0x00, 0x01, 0x7f, 0x80, 0xff, 0x08, 0x0a, 0x12, 0x22, 0x2c, 0x5c, 0x7b, 0x7d, 0x5b, 0x5d]
const RUN_MAX_BYTES = 40

const range = (random: Random, { length }: Buffer): [number, number] => {
  const from = below(random, length)
  return [from, Math.min(length, from + 1 + below(random, RUN_MAX_BYTES))]
}

const BYTE_MUTATIONS: readonly MutateBytes[] = [
  function flipBit(random, bytes) {
    if (bytes.length > 0) bytes[below(random, bytes.length)]! ^= 1 << below(random, 8)
    return bytes
  },
  function setByte(random, bytes) {
    if (bytes.length > 0) bytes[below(random, bytes.length)] = below(random, 256)
    return bytes
  },
  function setEdgeByte(random, bytes) {
    if (bytes.length > 0) bytes[below(random, bytes.length)] = oneOf(random, EDGE_BYTES)
    return bytes
  },
  function fillRange(random, bytes) {
    const [from, to] = range(random, bytes)
    return bytes.fill(oneOf(random, EDGE_BYTES), from, to)
  },
  function truncate(random, bytes) {
    return bytes.subarray(0, below(random, bytes.length + 1))
  },
  function cutFront(random, bytes) {
    return bytes.subarray(below(random, Math.min(bytes.length, RUN_MAX_BYTES)))
  },
  function removeRange(random, bytes) {
    const [from, to] = range(random, bytes)
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)])
  },
  function repeatRange(random, bytes) {
    const [from, to] = range(random, bytes)
    return Buffer.concat([bytes.subarray(0, to), bytes.subarray(from)])
  },
  function insertBytes(random, bytes) {
    const at = below(random, bytes.length + 1)
    const run = Buffer.from(Array.from({ length: 1 + below(random, 8) }, () => below(random, 256)))
    return Buffer.concat([bytes.subarray(0, at), run, bytes.subarray(at)])
  },
  function splice(random, bytes, other) {
    return Buffer.concat([bytes.subarray(0, below(random, bytes.length + 1)), other.subarray(below(random, other.length + 1))])
  },
  function overwriteWithOther(random, bytes, other) {
    const [from, to] = range(random, other)
    other.copy(bytes, below(random, bytes.length), from, to)
    return bytes
  },
  function append(_random, bytes, other) {
    return Buffer.concat([bytes, other])
  },
]

export const mutateBytes: MutateBytes = (random, bytes, other) => oneOf(random, BYTE_MUTATIONS)(random, bytes, other)
