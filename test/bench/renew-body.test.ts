import { expect, test } from '@jest/globals'
import { decodeTraces } from '@loopkit/shared/otlp/decode-traces'
import { toHex } from '@loopkit/shared/otlp/ids'
import { transcodeTracesJson } from '@loopkit/shared/otlp/transcode-json'
import { generateMix } from './generate-mix.ts'
import { createLoadTemplate } from './load-template.ts'
import { renewBody } from './renew-body.ts'

const [request] = generateMix(1, 1, 64)
const NOW = 1_800_000_000_123_456_789n
const LATE = 5_999_999_999
const mask = Uint8Array.from({ length: 16 }, (_, i) => i * 16 + 15)

function spansOf(encoding: 'protobuf' | 'json', bytes: Uint8Array) {
  const body = encoding === 'json' ? transcodeTracesJson(bytes, { jsonDepthMax: 300, jsonValuesMax: 1e6 }).body : bytes
  return [...decodeTraces(body)].map(({ span }) => span)
}

test.each(['protobuf', 'json'] as const)(
  'a body is sent with other ids and later times, and nothing else changed: %s',
  (encoding) => {
    const template = createLoadTemplate(request!, encoding, NOW)
    const out = new Uint8Array(template.bytes.length + 10)
    renewBody(template, out, 10, mask, LATE)
    const before = spansOf(encoding, template.bytes)
    const after = spansOf(encoding, out.subarray(10))
    expect(after).toHaveLength(template.spans)
    const changed = (id: Uint8Array | null) => (id === null ? null : toHex(id.map((byte, i) => byte ^ mask[i]!)))
    const late = after[0]!.startUnixNano - before[0]!.startUnixNano
    before.forEach((span, n) => {
      const sent = after[n]!
      expect(toHex(sent.traceId)).toBe(changed(span.traceId))
      expect(toHex(sent.spanId)).toBe(changed(span.spanId))
      expect(sent.parentSpanId === null ? null : toHex(sent.parentSpanId)).toBe(changed(span.parentSpanId))
      expect([sent.startUnixNano - span.startUnixNano, sent.endUnixNano - span.endUnixNano]).toEqual([late, late])
      expect({ ...sent, traceId: 0, spanId: 0, parentSpanId: 0, startUnixNano: 0, endUnixNano: 0 }).toEqual({
        ...span,
        traceId: 0,
        spanId: 0,
        parentSpanId: 0,
        startUnixNano: 0,
        endUnixNano: 0,
      })
    })
    const ends = after.map(({ endUnixNano }) => endUnixNano).sort()
    expect(ends.at(-1)).toBe(NOW + BigInt(LATE))
  },
)
