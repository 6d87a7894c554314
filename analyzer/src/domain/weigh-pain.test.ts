import { describe, expect, test } from '@jest/globals'
import type { PainFacts } from './pain-facts.ts'
import { rankPains, severityOf, trendOf, weightOf } from './weigh-pain.ts'

const pain = (more: Partial<PainFacts> = {}): PainFacts => ({
  fingerprint: 'aa',
  parentKey: 'bb',
  signal: 'exception',
  service: 's',
  operation: 'o',
  decided: 5,
  provisional: 0,
  traces: 5,
  sessions: 5,
  ended: 0,
  firstSeenMs: 1000,
  firstEventMs: 1000,
  lastEventMs: 2000,
  runs: 1000,
  earlier: { failures: 0, runs: 0 },
  later: { failures: 5, runs: 1000 },
  ...more,
})

test.each([
  ['an ordinary failure', {}, 'medium'],
  ['a hint', { signal: 'slow' as const }, 'low'],
  ['one that many met', { sessions: 10 }, 'high'],
  ['one that fails most runs', { decided: 90, runs: 100 }, 'high'],
  ['one that fails most of few runs', { decided: 9, runs: 10 }, 'medium'],
  ['one that fails most runs and many met', { decided: 90, runs: 100, sessions: 40 }, 'critical'],
  ['a hint that many met', { signal: 'slow' as const, sessions: 40 }, 'medium'],
  ['more failures than runs', { decided: 90, runs: 30, sessions: 40 }, 'critical'],
])('the severity of %s', (_, more, severity) => expect(severityOf(pain(more))).toBe(severity))

describe('the order of pains', () => {
  test.each([
    ['more failures', { decided: 6 }, {}],
    ['failures that met more people', { sessions: 9, traces: 9 }, { decided: 6, sessions: 1, traces: 1 }],
    ['a graver signal', {}, { signal: 'slow' as const }],
    ['failures that end their runs', { decided: 3, ended: 3 }, { decided: 6 }],
    ['failures of which most end their runs', { ended: 4 }, { ended: 1 }],
    ['undecided failures like decided ones', { decided: 0, provisional: 7 }, {}],
  ])('puts %s first', (_, first, second) => expect(weightOf(pain(first))).toBeGreaterThan(weightOf(pain(second))))

  const order = (given: PainFacts[]) => rankPains(given).map(({ fingerprint }) => fingerprint)

  test('lets the heaviest of siblings stand for all', () => {
    const sibling = (fingerprint: string, decided: number) => pain({ fingerprint, decided, parentKey: 'same' })
    const pains = [sibling('a', 50), sibling('b', 7), sibling('c', 7), pain({ fingerprint: 'd', decided: 5, parentKey: 'other' })]
    expect(order(pains)).toEqual(['a', 'd', 'b', 'c'])
  })

  test('goes by what is told where pains weigh the same, so that two projects with the same telemetry agree', () => {
    const told = [pain({ fingerprint: 'a', operation: 'z' }), pain({ fingerprint: 'b', operation: 'y', parentKey: 'cc' })]
    expect(order(told)).toEqual(['b', 'a'])
  })

  test('does not depend on how the pains were read', () => {
    const pains = ['c', 'a', 'b'].map((fingerprint) => pain({ fingerprint }))
    expect([order(pains), order(pains.toReversed())]).toEqual([
      ['a', 'b', 'c'],
      ['a', 'b', 'c'],
    ])
  })
})

const halves = (before: number, after: number, runs = 1000) => ({
  earlier: { failures: before, runs },
  later: { failures: after, runs },
})
test.each([
  ['without earlier traffic', { earlier: { failures: 0, runs: 0 } }, { reason: 'no_earlier_traffic' }],
  ['with too few failures', halves(1, 3), { reason: 'too_few_failures' }],
  ['with as many before', halves(20, 22), { trend: 'steady' }],
  ['with more', halves(5, 40), { trend: 'rising' }],
  ['with fewer', halves(40, 5), { trend: 'falling' }],
  ['with none before, ever', halves(0, 12), { trend: 'new' }],
  ['with none before in this window', { ...halves(0, 12), firstSeenMs: 1 }, { trend: 'rising' }],
])('the trend %s', (_, more, trend) => expect(trendOf(pain(more))).toEqual(trend))
