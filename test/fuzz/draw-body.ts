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
export type FuzzBody = { encoding: 'protobuf' | 'json'; bytes: Buffer } | { encoding: 'both'; request: TraceRequestJson }

/** Of bodies, those that keep the trace ids of the corpus: their spans were sent before. */
const REPEATED_SHARE = 0.03
const AS_IT_IS_SHARE = 0.01
const BOTH_SHARE = 0.03
const SECOND_FIELD_SHARE = 0.25
const BYTES_SHARE = 0.25

/** Body number `n` of a seed; always the same one. Its trace ids say the number, so that no two bodies share a span. */
export function drawBody(seed: number, n: number, corpus: readonly CorpusBody[]): FuzzBody {
  const random = mulberry32(seedOf(`${seed}:${n}`))
  const base = oneOf(random, corpus)
  const digits = chance(random, REPEATED_SHARE) ? '0badcafe' : n.toString(16).padStart(8, '0')
  if (base.request !== null && chance(random, BOTH_SHARE))
    return { encoding: 'both', request: mutateRequest(random, base.request, digits) }
  const other = oneOf(random, corpus)
  return chance(random, 0.5) ? drawProtobuf(random, base, other, digits) : drawJson(random, base, other, digits)
}

function drawProtobuf(random: Random, base: CorpusBody, other: CorpusBody, digits: string): FuzzBody {
  let bytes: Buffer = Buffer.from(base.protobuf)
  for (const at of base.traceIdsAt) bytes.write(digits, at, 'hex')
  if (chance(random, AS_IT_IS_SHARE)) return { encoding: 'protobuf', bytes }
  const otherBody = { bytes: other.protobuf, fields: other.fields }
  if (!chance(random, BYTES_SHARE)) {
    bytes = mutateProtobuf(random, { bytes, fields: base.fields }, otherBody)
    if (chance(random, SECOND_FIELD_SHARE)) bytes = mutateProtobuf(random, { bytes, fields: listProtoFields(bytes) }, otherBody)
    if (!chance(random, BYTES_SHARE)) return { encoding: 'protobuf', bytes }
    bytes = Buffer.from(bytes)
  }
  return { encoding: 'protobuf', bytes: damaged(random, bytes, other.protobuf) }
}

function drawJson(random: Random, base: CorpusBody, other: CorpusBody, digits: string): FuzzBody {
  const text = base.pieces.join(digits)
  if (chance(random, AS_IT_IS_SHARE)) return { encoding: 'json', bytes: Buffer.from(text) }
  const otherBody = { text: other.pieces.join(digits), nodes: other.nodes }
  if (chance(random, BYTES_SHARE / 2))
    return { encoding: 'json', bytes: damaged(random, Buffer.from(text), Buffer.from(otherBody.text)) }
  const bytes = Buffer.from(mutateJson(random, { text, nodes: base.nodes }, otherBody))
  return { encoding: 'json', bytes: chance(random, BYTES_SHARE / 4) ? damaged(random, bytes, other.protobuf) : bytes }
}

function damaged(random: Random, bytes: Buffer, other: Buffer): Buffer {
  let out = bytes
  for (let change = chance(random, 0.2) ? 3 : 1; change > 0; change--) out = mutateBytes(random, out, other)
  return out
}
