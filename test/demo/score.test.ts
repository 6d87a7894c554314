import { expect, test } from '@jest/globals'
import { faultById } from './fault-catalogue.ts'
import type { GroundTruth } from './ground-truth.ts'
import { isFailed, type NamedPain, score } from './score.ts'

const truth: GroundTruth = {
  seed: 1,
  planted: [{ ...faultById('mcp-lookup'), traceIds: ['a', 'b'], cause: { 'cloud.region': 'eu', 'app.plan': 'pro' } }],
}
const evidence = (traceId: string) => ({
  traceId,
  service: 'support-agent',
  names: ['tools/call lookup_order', 'lookup_order'],
  text: 'order 7 is not known to warehouse EU-1',
})
const pain: NamedPain = {
  painId: 'pain_1',
  title: 't',
  signal: 'tool_failure',
  severity: 'medium',
  count: 2,
  evidence: [evidence('a'), evidence('b')],
  contrasts: [{ 'app.plan': 'pro' }, { 'app.plan': 'pro', 'cloud.region': 'eu' }],
  noContrasts: null,
}

test('a pain with the signal, place, words and count of a fault is that fault', () => {
  const result = score(truth, [pain])
  expect(result.found.map(({ id }) => id)).toEqual(['mcp-lookup'])
  expect([result.missed, result.unplanned, isFailed(result)]).toEqual([[], [], false])
  expect(result.causes.map(({ place }) => place)).toEqual([2])
})

test.each<[string, NamedPain[]]>([
  ['nothing was named', []],
  ['it was named with another signal', [{ ...pain, signal: 'exception' }]],
  ['it was counted too often', [{ ...pain, count: 3 }]],
  ['it was blamed on another service', [{ ...pain, evidence: [{ ...evidence('a'), service: 'shop-web' }] }]],
  ['evidence comes from a trace where it was not planted', [{ ...pain, evidence: [evidence('a'), evidence('z')] }]],
  ['it has no evidence', [{ ...pain, evidence: [] }]],
  ['its cause was not named', [{ ...pain, contrasts: [], noContrasts: 'unexplained' }]],
  ['only half of its cause was named', [{ ...pain, contrasts: pain.contrasts.slice(0, 1) }]],
  ['its cause was named fourth', [{ ...pain, contrasts: [{ a: 1 }, { b: 1 }, ...pain.contrasts] }]],
])('the run fails when %s', (_what, pains) => {
  expect(isFailed(score(truth, pains))).toBe(true)
})

test('a fault that was split into two pains leaves one of them unplanned', () => {
  const result = score(truth, [pain, { ...pain, painId: 'pain_2', count: 1 }])
  expect(result.unplanned.map(({ pain_id }) => pain_id)).toEqual(['pain_2'])
  expect(isFailed(result)).toBe(true)
})

test('a soft fault that was not named fails the run', () => {
  const soft: GroundTruth = { seed: 1, planted: [{ ...faultById('agent-empty'), traceIds: ['a'], cause: null }] }
  expect(isFailed(score(soft, []))).toBe(true)
})

test('a pain that nobody planted fails the run unless its severity is low', () => {
  const none: GroundTruth = { seed: 1, planted: [] }
  expect(isFailed(score(none, [pain]))).toBe(true)
  expect(isFailed(score(none, [{ ...pain, severity: 'low' }]))).toBe(false)
})
