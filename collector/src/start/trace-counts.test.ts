import { join } from 'node:path'
import { afterEach, expect, test } from '@jest/globals'
import { openTelemetryReader } from '@loopkit/shared/database/telemetry/open-telemetry'
import { readTraceCounts } from '@loopkit/shared/database/telemetry/trace-counts'
import { parseTraceId } from '@loopkit/shared/otlp/ids'
import {
  type SpanSpec,
  spanIdOf,
  startTestCollector,
  type TestCollector,
  type TestCollectorOptions,
  traceIdOf,
  traceJson,
} from './collector.fixture.ts'

const running: TestCollector[] = []
const SENT_BY_MANY = 1_500

async function start(options?: TestCollectorOptions): Promise<TestCollector> {
  const collector = await startTestCollector(options)
  running.push(collector)
  return collector
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((collector) => collector.stop()))
})

const span = (trace: number, id: number, more: Partial<SpanSpec> = {}): SpanSpec => ({
  traceId: traceIdOf(trace),
  spanId: spanIdOf(id),
  ...more,
})

function countsOf(collector: TestCollector, trace: number) {
  const reader = openTelemetryReader(join(collector.dataDir, 'telemetry.db'))!
  try {
    const hash = reader.hasher(1, parseTraceId(traceIdOf(trace))!.bytes)
    return readTraceCounts(reader.db, 1, BigInt.asIntN(64, hash))
  } finally {
    reader.db.close()
  }
}

test('what became of spans that are not stored is known of each trace, after a restart too', async () => {
  const collector = await start({ quotaSpans: 4 })
  const first = traceJson([span(1, 1), span(1, 2), span(2, 1)])
  await collector.send(first)
  await collector.send(first)
  await collector.send(traceJson([span(1, 2), span(2, 1), span(2, 2), span(3, 1), span(3, 2)]))
  await collector.send(traceJson([span(1, 7, { spanId: '' }), span(2, 1)]))
  await collector.restart()
  await collector.send(first)
  const none = { missingUntilMs: null }
  expect([1, 2, 3, 4].map((trace) => countsOf(collector, trace))).toEqual([
    { counts: { deduplicated: 5, 'rejected:span_id_empty': 1 }, ...none },
    { counts: { deduplicated: 4 }, ...none },
    { counts: { 'rejected:quota_exceeded': 2 }, ...none },
    { counts: {}, ...none },
  ])
})

test('of more traces than are counted in one body it is known that counts are missing', async () => {
  const collector = await start()
  const many = traceJson(Array.from({ length: SENT_BY_MANY }, (_, n) => span(n + 1, 1)))
  await collector.send(many)
  expect(countsOf(collector, SENT_BY_MANY)).toEqual({ counts: {}, missingUntilMs: null })
  await collector.send(many)
  expect(countsOf(collector, 1)).toEqual({ counts: { deduplicated: 1 }, missingUntilMs: expect.any(Number) })
  expect(countsOf(collector, SENT_BY_MANY).counts).toEqual({})
})
