import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { decodeTraces } from './decode-traces.ts'
import { encodeTraces } from './encode-traces.ts'
import { findTraceId } from './find-trace-id.ts'
import { arbitraryRequest } from './fixtures/arbitrary-spans.ts'
import { int, join, len, requestOf, spanIds, TRACE_ID } from './fixtures/wire-fields.ts'
import { toHex } from './ids.ts'
import { scanTraces } from './scan-traces.ts'
import { ABSENT } from './wire.ts'

const OTHER_ID = new Uint8Array(16).fill(9)

/** What the walk finds for each span, and what the scan says. */
function bothOf(body: Uint8Array): { found: number[]; scanned: number[] } {
  const scan = scanTraces(body, { anyValueDepthMax: 64 })
  const found = Array.from({ length: scan.count }, (_, i) => findTraceId(body, scan.spanStart[i]!, scan.spanEnd[i]!))
  return { found, scanned: [...scan.traceIdAt] }
}

test('the trace id is found where the scan finds it', () => {
  fc.assert(
    fc.property(arbitraryRequest, (spans) => {
      const { found, scanned } = bothOf(encodeTraces(spans))
      expect(found).toEqual(scanned)
    }),
  )
})

test.each<[string, Uint8Array]>([
  ['last of all fields', join(len(5, 'name'), int(6, 3), len(2, new Uint8Array(8).fill(1)), len(1, TRACE_ID))],
  ['behind a long field', join(len(5, 'x'.repeat(40_000)), spanIds())],
  ['twice: the last counts', join(spanIds(), len(1, OTHER_ID))],
  ['among fields that nobody knows', join(int(99, 1), len(1000, 'what'), spanIds(), int(3000, 7n))],
])('%s', (_where, span) => {
  const { found, scanned } = bothOf(requestOf(span))
  expect(found).toEqual(scanned)
  expect(found[0]).not.toBe(ABSENT)
})

test('of a request only the wanted spans are decoded, as they are without a choice', () => {
  fc.assert(
    fc.property(arbitraryRequest, fc.nat(3), (spans, every) => {
      const body = encodeTraces(spans)
      let row = -1
      const rows: number[] = []
      const chosen = decodeTraces(body, undefined, () => {
        row++
        if (row % (every + 1) !== 0) return false
        rows.push(row)
        return true
      })
      const all = [...decodeTraces(body)]
      expect([...chosen]).toEqual(rows.map((n) => all[n]))
      expect(row).toBe(all.length - 1)
    }),
  )
})

test('ids are compared by their bytes', () => {
  const { found } = bothOf(requestOf(spanIds()))
  expect(toHex(requestOf(spanIds()).subarray(found[0], found[0]! + 16))).toBe(toHex(TRACE_ID))
})
