import { expect, test } from '@jest/globals'
import { codecOf } from '@loopkit/shared/database/telemetry/record-codecs'
import { readCorpus } from './corpus.ts'
import { createProductPath, type ProductPath } from './product-path.ts'
import { runBlock } from './run-block.ts'
import { threadCpuMs } from './thread-cpu-ms.ts'

const BODIES = 5_000
const seed = Date.now() % 2 ** 31
process.stderr.write(`fuzz: seed ${seed}\n`)

const corpus = readCorpus()
const fuzz = (createPath: () => ProductPath, bodies: number, { from = 0, seed = 1 } = {}) =>
  runBlock({
    seed,
    from,
    to: from + bodies,
    corpus,
    createPath,
    monotonicMs: () => performance.now(),
    cpuMs: threadCpuMs,
    onBody: () => {},
  })

test('bodies changed at random break no promise of decoders, admission, redaction and index', () => {
  const { failure, counts } = fuzz(createProductPath, BODIES, { seed })
  expect(failure).toBeNull()
  // Bodies that are all refused would prove nothing.
  for (const what of [
    'traces protobuf read',
    'traces json read',
    'spans stored',
    'spans rejected',
    'logs stored',
    'in both encodings',
  ])
    expect(counts[what]).toBeGreaterThan(20)
}, 60_000)

/** A product with one fault. */
const broken = (change: (path: ProductPath) => Partial<ProductPath>) => () => {
  const path = createProductPath()
  return { ...path, ...change(path) }
}

test.each<[string, () => ProductPath, RegExp]>([
  [
    'a decoder that throws something else than its own error',
    broken((path) => ({
      prepare(sent) {
        if (sent.bytes.length % 7 === 0) throw new RangeError('offset is out of bounds')
        return path.prepare(sent)
      },
    })),
    /offset is out of bounds/,
  ],
  [
    'a span that is lost without a word',
    broken((path) => ({
      prepare(sent) {
        const prepared = path.prepare(sent)
        return prepared.kind === 'traces' ? { ...prepared, body: prepared.body.subarray(0, 0) } : prepared
      },
    })),
    /does not decode to as many records|out of|differ/,
  ],
  [
    'a rewrite that keeps what it should drop',
    broken((path) => ({
      admit(prepared) {
        const admission = path.admit(prepared)
        return admission.stored ? { ...admission, stored: { ...admission.stored, body: prepared.body } } : admission
      },
    })),
    /does not decode to as many records|a rejected span was stored/,
  ],
  [
    'a redaction that overwrites an id',
    broken((path) => ({
      redact(kind, body) {
        const count = path.redact(kind, body)
        const { traceIdAt } = codecOf(kind).scan(body)
        if (count > 0) body.fill(0x2a, traceIdAt[0], traceIdAt[0]! + 16)
        return count
      },
    })),
    /redaction changed ids/,
  ],
  [
    'an index that loses runs',
    broken((path) => ({ index: (kind, body) => path.index(kind, body) - 1 })),
    /the index counts other runs/,
  ],
  [
    'a body that takes too long',
    broken((path) => ({ redact: (kind, body) => spin(120) + path.redact(kind, body) })),
    /a body takes more than 100 ms/,
  ],
])('the fuzzer finds %s', (_name, createPath, message) => {
  const { failure } = fuzz(createPath, BODIES)
  expect(failure?.message).toMatch(message)
  expect(failure?.isAlone).toBe(true)
})

test('what it finds is made small and found again by seed and number', () => {
  const createPath = broken((path) => ({
    prepare(sent) {
      if (Buffer.from(sent.bytes).includes(':undefined')) throw new Error('undefined')
      return path.prepare(sent)
    },
  }))
  const first = fuzz(createPath, BODIES).failure
  expect(first).toMatchObject({ message: 'undefined', what: 'traces in json', body: ':undefined', isAlone: true })
  expect(fuzz(createPath, 1, { from: first?.n }).failure).toMatchObject({ n: first?.n, message: 'undefined' })
}, 60_000)

function spin(ms: number): number {
  const endMs = threadCpuMs() + ms
  while (threadCpuMs() < endMs);
  return 0
}
