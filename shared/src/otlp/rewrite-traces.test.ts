import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { encodeTraces } from './encode-traces.ts'
import { arbitraryRequest } from './fixtures/arbitrary-spans.ts'
import { group, int, join, len, requestOf, spanIds } from './fixtures/wire-fields.ts'
import { rewriteTraces } from './rewrite-traces.ts'
import { scanTraces } from './scan-traces.ts'

const limits = { anyValueDepthMax: 64 }

function rewrite(body: Uint8Array, ...drop: number[]): Uint8Array {
  return rewriteTraces(body, scanTraces(body, limits), Uint8Array.from(drop))
}

test('the kept spans are byte for byte what was sent', () => {
  fc.assert(
    fc.property(arbitraryRequest, fc.infiniteStream(fc.boolean()), (spans, coins) => {
      const drop = Uint8Array.from(spans, () => (coins.next().value ? 1 : 0))
      const kept = spans.filter((_, i) => drop[i] === 0)
      expect(rewriteTraces(encodeTraces(spans), scanTraces(encodeTraces(spans), limits), drop)).toEqual(encodeTraces(kept))
    }),
  )
})

test('what stands around the spans stays, unknown fields and groups too', () => {
  const resource = len(1, len(1, len(1, 'k')))
  const around = [resource, group(50, int(1, 2)), len(3, 'schema')] as const
  const envelope = (...spans: Uint8Array[]) => len(1, around[0], len(2, len(1, len(1, 'scope')), ...spans), around[1], around[2])
  const long = len(2, spanIds(), len(5, 'x'.repeat(300)))
  const body = join(envelope(len(2, spanIds()), long), int(77, 1))
  expect(rewrite(body, 0, 1)).toEqual(join(envelope(len(2, spanIds())), int(77, 1)))
})

test('an envelope that loses its last span goes, one that was empty stays', () => {
  const full = requestOf(spanIds())
  expect(rewrite(join(full, len(1), full), 1, 0)).toEqual(join(len(1), full))
})

test('spans of the old place are dropped like others', () => {
  expect(rewrite(len(1, len(1000, len(2, spanIds()), len(2, spanIds(), len(5, 'kept')))), 1, 0)).toEqual(
    len(1, len(1000, len(2, spanIds(), len(5, 'kept')))),
  )
})

test('dropping nothing gives the body itself, dropping everything an empty one', () => {
  const body = requestOf(spanIds(), spanIds())
  expect(rewrite(body, 0, 0)).toBe(body)
  expect(rewrite(body, 1, 1)).toEqual(new Uint8Array(0))
})
