import { expect, test } from '@jest/globals'
import { packSegment, SegmentError, unpackSegment } from './pack-segment.ts'
import { createSegmentOpener } from './segment-opener.ts'

const KIB = 1024
const texts = Array.from({ length: 20 }, (_, n) => Buffer.alloc(1 + n * 3 * KIB, `segment ${n} of many `))
const bodies = texts.map((text) => packSegment([text]))

function reason(open: () => unknown): string {
  try {
    open()
    return 'opened'
  } catch (error) {
    if (error instanceof SegmentError) return `${error.code}: ${error.message}`
    throw error
  }
}

test.each([
  ['all in the memory that is kept', 2 * KIB * KIB],
  ['most beyond it', 64 * KIB],
  ['nothing kept', 0],
])('what is opened stays as it is until the next question: %s', (_, keptBytes) => {
  const { open, begin } = createSegmentOpener(keptBytes)
  for (let question = 0; question < 3; question++) {
    begin()
    const opened = bodies.map((body, n) => open(body, texts[n]!.length))
    expect(opened.map((bytes, n) => Buffer.compare(bytes, texts[n]!))).toEqual(texts.map(() => 0))
  }
})

test.each<[string, (body: Uint8Array) => Uint8Array]>([
  ['cut off', (body) => body.subarray(0, body.length - 9)],
  ['with a flipped bit', (body) => body.map((byte, at) => (at === 20 ? byte ^ 0x10 : byte))],
  ['whose sum is wrong', (body) => body.map((byte, at) => (at === body.length - 2 ? byte ^ 0x10 : byte))],
  ['that is none', () => Buffer.from('not zstd')],
  ['without content', () => new Uint8Array(0)],
  ['that is longer than its row says', () => bodies[19]!],
])('a body %s is refused as it is elsewhere, and the next one opens', (_, damage) => {
  const { open } = createSegmentOpener()
  const damaged = damage(bodies[7]!)
  const expected = reason(() => unpackSegment(damaged, texts[7]!.length))
  expect(reason(() => open(damaged, texts[7]!.length))).toBe(expected)
  expect(expected).not.toBe('opened')
  expect(Buffer.compare(open(bodies[8]!, texts[8]!.length), texts[8]!)).toBe(0)
})
