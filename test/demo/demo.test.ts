import { expect, test } from '@jest/globals'
import { runDemo } from './run-demo.ts'
import { isFailed } from './score.ts'

const MINUTE_MS = 60_000

test(
  'every planted fault, hard and soft, is named once, at its origin, with its count, and nothing else',
  async () => {
    const { packet, score, traffic, accepted } = await runDemo({ seed: 1, traces: 900, faults: 'all' })
    expect(score.missed).toEqual([])
    expect(score.unplanned).toEqual([])
    expect(isFailed(score)).toBe(false)
    expect(packet.status).toBe('ready_for_issue_diagnosis')
    expect({ failed: traffic.failedSpans, accepted }).toEqual({ failed: 0, accepted: traffic.spans })
  },
  MINUTE_MS,
)

test(
  'a healthy run, full of things that look like trouble, is observe_more',
  async () => {
    const { packet, score } = await runDemo({ seed: 2, traces: 600, faults: 'none' })
    expect(score.unplanned).toEqual([])
    expect(packet.status).toBe('observe_more')
  },
  MINUTE_MS,
)
