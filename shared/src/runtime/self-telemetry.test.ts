import { expect, test } from '@jest/globals'
import { ROOT_CONTEXT, SpanKind } from '@opentelemetry/api'
import { SamplingDecision } from '@opentelemetry/sdk-trace'
import { createRateSampler, ownTracer, startSelfTelemetry } from './self-telemetry.ts'

const ask = (sampler: ReturnType<typeof createRateSampler>) =>
  sampler.shouldSample(ROOT_CONTEXT, '', 'x', SpanKind.INTERNAL, {}, []).decision

test('no more of our own spans start in a second than the bound, and the next second starts anew', () => {
  let now = 0
  const sampler = createRateSampler(2, { nowMs: () => now, monotonicMs: () => now })
  expect([ask(sampler), ask(sampler), ask(sampler)]).toEqual([
    SamplingDecision.RECORD_AND_SAMPLED,
    SamplingDecision.RECORD_AND_SAMPLED,
    SamplingDecision.NOT_RECORD,
  ])
  now = 1000
  expect(ask(sampler)).toBe(SamplingDecision.RECORD_AND_SAMPLED)
})

test('an ended span is sent as OTLP at the latest when telemetry stops, and later spans are nothing', async () => {
  const bodies: Uint8Array[] = []
  const clock = { nowMs: () => 0, monotonicMs: () => 0 }
  const telemetry = startSelfTelemetry({
    service: 'loopkit-test',
    version: '0',
    clock,
    send: async (body) => void bodies.push(body),
  })
  ownTracer().startSpan('decide').end()
  await telemetry.stop()
  expect(bodies.length).toBe(1)
  expect(Buffer.from(bodies[0] ?? []).toString('latin1')).toContain('loopkit-test')
  expect(ownTracer().startSpan('after').isRecording()).toBe(false)
})

test('the end is clean also where nobody takes the last spans', async () => {
  const send = () => Promise.reject(new Error('connect ECONNREFUSED'))
  const { stop } = startSelfTelemetry({ service: 'one', version: '0', clock: { nowMs: () => 0, monotonicMs: () => 0 }, send })
  ownTracer().startSpan('last').end()
  await expect(stop()).resolves.toBeUndefined()
})
