import { afterEach, expect, test } from '@jest/globals'
import { spanIdOf, startTestCollector, type TestCollector, traceIdOf, traceJson, until } from './collector.fixture.ts'

const running: TestCollector[] = []

afterEach(async () => {
  await Promise.all(running.splice(0).map((collector) => collector.stop()))
})

async function start(): Promise<TestCollector> {
  const collector = await startTestCollector({ env: { LOOPKIT_QUIET_MS: '50', LOOPKIT_DECIDE_AFTER_MS: '1500' } })
  running.push(collector)
  return collector
}

const unended = (id: number, parent?: number) => ({
  ...{ traceId: traceIdOf(1), spanId: spanIdOf(id), end: '0' },
  ...(parent !== undefined && { parentSpanId: spanIdOf(parent) }),
})
const ended = (id: number) => ({ traceId: traceIdOf(1), spanId: spanIdOf(id) })
const signals = (collector: TestCollector) =>
  collector
    .rows('select signal, span_id from failure join fingerprint using (fingerprint_no) order by span_id')
    .map(({ signal, span_id }) => `${signal} ${span_id}`)
const decisions = (collector: TestCollector) => collector.rows('select 1 from decision').length
const isIdle = (collector: TestCollector) => (collector.rows('select 1 from open_trace').length === 0 ? true : null)

test('a span that never ends is incomplete when nothing came of its trace for long enough, and not before', async () => {
  const collector = await start()
  await collector.send(traceJson([unended(1), unended(2, 1)]))
  await until('the first decision', () => (decisions(collector) === 1 ? true : null))
  expect(signals(collector)).toEqual([])
  await until('the end of the wait', () => isIdle(collector))
  expect(signals(collector)).toEqual(['incomplete 2'])
})

test('one that ends in the meantime is none; a restart forgets nothing of it', async () => {
  const collector = await start()
  await collector.send(traceJson([unended(1)]))
  await until('the first decision', () => (decisions(collector) === 1 ? true : null))
  await collector.restart()
  await collector.send(traceJson([ended(1)]))
  await until('the end of the wait', () => isIdle(collector))
  expect(signals(collector)).toEqual([])
})

test('a span that comes while the end is awaited is judged as soon as the trace is quiet', async () => {
  const collector = await start()
  await collector.send(traceJson([unended(1)]))
  await until('the first decision', () => (decisions(collector) === 1 ? true : null))
  await collector.send(traceJson([{ ...ended(2), parentSpanId: spanIdOf(1), status: { code: 2, message: 'no' } }]))
  await until('the second decision', () => (signals(collector).length === 1 ? true : null))
  expect(signals(collector)).toEqual(['error_status 2'])
})
