import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { decodeTraces } from './decode-traces.ts'
import { encodeTraces } from './encode-traces.ts'
import { arbitraryRequest } from './fixtures/arbitrary-spans.ts'
import { scanTraces } from './scan-traces.ts'
import { readSpanHead } from './span-head.ts'

test('says of any span what a scan of its body says', () => {
  fc.assert(
    fc.property(arbitraryRequest, (spans) => {
      const body = encodeTraces(spans)
      const scan = scanTraces(body, { anyValueDepthMax: 1024 })
      const view = new DataView(body.buffer, body.byteOffset, body.byteLength)
      let row = 0
      for (const _ of decodeTraces(body, undefined, (bytes, start, end) => {
        expect(readSpanHead(bytes, view, start, end)).toEqual({
          traceIdAt: scan.traceIdAt[row],
          spanIdAt: scan.spanIdAt[row],
          startUnixNano: scan.startNano[row],
          endUnixNano: scan.endNano[row],
        })
        row += 1
        return false
      }));
      expect(row).toBe(scan.count)
    }),
  )
})
