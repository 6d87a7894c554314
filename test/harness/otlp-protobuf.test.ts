import { expect, test } from '@jest/globals'
import { SpanKind, SpanStatusCode } from '@opentelemetry/api'
import { JsonTraceSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { attribute, spanJson, type TraceRequestJson, traceRequest } from './otlp-json.ts'
import { decodeTraceRequest, encodeTraceRequest } from './otlp-protobuf.ts'

function sdkSpans() {
  const exporter = new InMemorySpanExporter()
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'codec' }),
    spanProcessors: [new SimpleSpanProcessor({ exporter })],
  })
  const span = provider
    .getTracer('codec', '1.0.0')
    .startSpan('work', { kind: SpanKind.CLIENT, attributes: { text: 'ä', count: -7, share: 0.25, on: false, list: ['a', 'b'] } })
  span.addEvent('happened', { at: 1 })
  span.setStatus({ code: SpanStatusCode.ERROR, message: 'failed' })
  span.end()
  return exporter.getFinishedSpans()
}

test("the harness reads the SDK's own protobuf as the SDK's own JSON", () => {
  const spans = sdkSpans()
  const read = decodeTraceRequest(ProtobufTraceSerializer.serializeRequest(spans) as Uint8Array).resourceSpans[0]?.scopeSpans[0]
    ?.spans[0]
  const json = JSON.parse(Buffer.from(JsonTraceSerializer.serializeRequest(spans) as Uint8Array).toString()) as TraceRequestJson
  const expected = json.resourceSpans[0]?.scopeSpans[0]?.spans[0]
  expect(read).toMatchObject({
    traceId: expected?.traceId,
    spanId: expected?.spanId,
    name: 'work',
    kind: 3,
    startTimeUnixNano: expected?.startTimeUnixNano,
    status: { code: 2, message: 'failed' },
    attributes: [
      { key: 'text', value: { stringValue: 'ä' } },
      { key: 'count', value: { intValue: '-7' } },
      { key: 'share', value: { doubleValue: 0.25 } },
      { key: 'on', value: { boolValue: false } },
      { key: 'list', value: { arrayValue: { values: [{ stringValue: 'a' }, { stringValue: 'b' }] } } },
    ],
  })
})

test('what the harness writes it reads back', () => {
  const request = traceRequest('codec', [
    spanJson({
      traceId: '0af7651916cd43dd8448eb211c80319c',
      spanId: 'b7ad6b7169203331',
      attributes: [attribute('n', 2 ** 40), attribute('empty', ''), { key: 'bytes', value: { bytesValue: 'AAEC' } }],
      links: [{ traceId: '1'.repeat(32), spanId: '2'.repeat(16), flags: 257 }],
    }),
  ])
  expect(decodeTraceRequest(encodeTraceRequest(request))).toEqual(request)
})
