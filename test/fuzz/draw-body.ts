import { mulberry32, type Random, seedOf } from '../demo/random.ts'
import type { TraceRequestJson } from '../harness/otlp-json.ts'
import type { CorpusBody } from './corpus.ts'
import { mutateBytes } from './mutate-bytes.ts'
import { mutateJson } from './mutate-json.ts'
import { mutateProtobuf } from './mutate-protobuf.ts'
import { mutateRequest } from './mutate-request.ts'
import { chance, oneOf } from './pick-random.ts'
import { listProtoFields } from './proto-fields.ts'

/** What is checked: bytes in one encoding, or a request that is written in both. */
export type FuzzBody = BytesBody | { encoding: 'both'; request: TraceRequestJson }

export interface BytesBody {
  signal: 'traces' | 'logs'
  encoding: 'protobuf' | 'json'
  bytes: Buffer
}

/** Of bodies, those that keep the trace ids of the corpus: their spans were sent before. */
const REPEATED_SHARE = 0.03
const AS_IT_IS_SHARE = 0.01
const BOTH_SHARE = 0.03
const SECOND_FIELD_SHARE = 0.25
const BYTES_SHARE = 0.25

/** Of bodies, those that are sent where another signal belongs. */
const ASTRAY_SHARE = 0.01

/** Body number `n` of a seed; always the same one. Its trace ids say the number, so that no two bodies share a span. */
export function drawBody(seed: number, n: number, corpus: readonly CorpusBody[]): FuzzBody {
  const random = mulberry32(seedOf(`${seed}:${n}`))
  const base = oneOf(random, corpus)
  const digits = freshDigits(random, n)
  if (base.request !== null && chance(random, BOTH_SHARE))
    return { encoding: 'both', request: mutateRequest(random, base.request, digits) }
  return drawBytes(random, base, corpus, digits, chance(random, 0.5) ? 'protobuf' : 'json')
}

/** The same in the encoding that is wanted. */
export function drawBodyIn(encoding: BytesBody['encoding'], seed: number, n: number, corpus: readonly CorpusBody[]): BytesBody {
  const random = mulberry32(seedOf(`${seed}:${n}`))
  return drawBytes(random, oneOf(random, corpus), corpus, freshDigits(random, n), encoding)
}

function freshDigits(random: Random, n: number): string {
  return chance(random, REPEATED_SHARE) ? '0badcafe' : n.toString(16).padStart(8, '0')
}

function drawBytes(
  random: Random,
  base: CorpusBody,
  corpus: readonly CorpusBody[],
  digits: string,
  encoding: BytesBody['encoding'],
): BytesBody {
  const other = oneOf(random, corpus)
  const draw = encoding === 'protobuf' ? drawProtobuf : drawJson
  const signal = chance(random, ASTRAY_SHARE) ? other.signal : base.signal
  return { signal, encoding, bytes: draw(random, base, other, digits) }
}

function drawProtobuf(random: Random, base: CorpusBody, other: CorpusBody, digits: string): Buffer {
  let bytes: Buffer = Buffer.from(base.protobuf)
  for (const at of base.traceIdsAt) bytes.write(digits, at, 'hex')
  if (chance(random, AS_IT_IS_SHARE)) return bytes
  const otherBody = { bytes: other.protobuf, fields: other.fields }
  if (!chance(random, BYTES_SHARE)) {
    bytes = mutateProtobuf(random, { bytes, fields: base.fields }, otherBody)
    if (chance(random, SECOND_FIELD_SHARE)) bytes = mutateProtobuf(random, { bytes, fields: listProtoFields(bytes) }, otherBody)
    if (!chance(random, BYTES_SHARE)) return bytes
    bytes = Buffer.from(bytes)
  }
  return damaged(random, bytes, other.protobuf)
}

function drawJson(random: Random, base: CorpusBody, other: CorpusBody, digits: string): Buffer {
  const text = base.pieces.join(digits)
  if (chance(random, AS_IT_IS_SHARE)) return Buffer.from(text)
  const otherBody = { text: other.pieces.join(digits), nodes: other.nodes }
  if (chance(random, BYTES_SHARE / 2)) return damaged(random, Buffer.from(text), Buffer.from(otherBody.text))
  const bytes = Buffer.from(mutateJson(random, { text, nodes: base.nodes }, otherBody))
  return chance(random, BYTES_SHARE / 4) ? damaged(random, bytes, other.protobuf) : bytes
}

function damaged(random: Random, bytes: Buffer, other: Buffer): Buffer {
  let out = bytes
  for (let change = chance(random, 0.2) ? 3 : 1; change > 0; change--) out = mutateBytes(random, out, other)
  return out
}
