import { expect, test } from '@jest/globals'
import { groundTruthOf } from './ground-truth.ts'
import { planTraffic } from './plan-traffic.ts'

const seeds = Array.from({ length: 30 }, (_, at) => at)

test('the same seed plants the same faults in the same traces', () => {
  const options = { seed: 7, traces: 600, faults: 'all' } as const
  expect(planTraffic(options)).toEqual(planTraffic(options))
  expect(planTraffic(options)).not.toEqual(planTraffic({ ...options, seed: 8 }))
})

test.each([600, 5000])('every seed plants at least 12 hard faults of 8 signals, each in 4 to 40 of %i traces', (traces) => {
  for (const seed of seeds) {
    const { planted } = groundTruthOf(seed, planTraffic({ seed, traces, faults: 'all' }))
    const hard = planted.filter((fault) => fault.hard)
    expect(hard.length).toBeGreaterThanOrEqual(12)
    expect(new Set(hard.map(({ signal }) => signal)).size).toBe(8)
    for (const { traceIds } of planted) expect(traceIds.length >= 4 && traceIds.length <= 40).toBe(true)
  }
})

test('a run without faults plants nothing', () => {
  expect(groundTruthOf(1, planTraffic({ seed: 1, traces: 600, faults: 'none' })).planted).toEqual([])
})
