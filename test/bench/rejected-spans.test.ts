import { expect, test } from '@jest/globals'
import { encodeExportResponse } from '@loopkit/shared/otlp/responses'
import { rejectedSpans } from './rejected-spans.ts'

test.each([
  [0, ''],
  [0, 'said'],
  [1, ''],
  [127, 'why'],
  [128, 'why'],
  [8192, 'x'.repeat(120)],
  [3, 'x'.repeat(300)],
])('%i rejected records are read from an answer that says %j', (rejected, message) => {
  const partial = rejected === 0 && message === '' ? null : { rejected, message }
  for (const signal of ['traces', 'logs'] as const) {
    expect(rejectedSpans(Buffer.from(encodeExportResponse(signal, partial, 'protobuf')), false)).toBe(rejected)
    expect(rejectedSpans(Buffer.from(encodeExportResponse(signal, partial, 'json')), true)).toBe(rejected)
  }
})
