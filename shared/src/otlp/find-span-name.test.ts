import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { encodeTraces } from './encode-traces.ts'
import { findSpanName } from './find-span-name.ts'
import { arbitraryRequest } from './fixtures/arbitrary-spans.ts'
import { int, join, len, requestOf, spanIds } from './fixtures/wire-fields.ts'
import { scanTraces } from './scan-traces.ts'

const namesIn = (body: Uint8Array): string[] => {
  const scan = scanTraces(body, { anyValueDepthMax: 64 })
  return Array.from({ length: scan.count }, (_, i) => findSpanName(body, scan.spanStart[i]!, scan.spanEnd[i]!))
}

test('the name of every span is found, byte for byte, up to 256 bytes', () => {
  fc.assert(
    fc.property(arbitraryRequest, (spans) => {
      const names = spans.map(({ span }) => Buffer.from(span.name).subarray(0, 256).toString('latin1'))
      expect(namesIn(encodeTraces(spans)).sort()).toEqual(names.sort())
    }),
  )
})

test.each<[string, Uint8Array, string]>([
  ['absent', spanIds(), ''],
  ['before the ids', join(len(5, 'work'), spanIds()), 'work'],
  ['twice: the last counts', join(spanIds(), len(5, 'one'), len(5, 'two')), 'two'],
  ['among fields that nobody knows', join(int(99, 1), len(1000, 'what'), spanIds(), len(5, 'work'), int(3000, 7n)), 'work'],
  ['long', join(spanIds(), len(5, 'x'.repeat(40_000))), 'x'.repeat(256)],
])('a name that is %s', (_where, span, name) => {
  expect(namesIn(requestOf(span))).toEqual([name])
})
