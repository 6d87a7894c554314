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
  season: null,
  novelty: null,
  onset: { kind: 'first_failure', atMs: 1000, uncertainMs: 0 },
  ...more,
})

test.each([
  ['an ordinary failure', {}, 'medium'],
  ['a hint', { signal: 'slow' as const }, 'low'],
  ['a hint that its runs survived', { signal: 'truncated_output' as const, ended: 0 }, 'low'],
  ['a cut answer that ended its run', { signal: 'truncated_output' as const }, 'medium'],
  ['one that many met', { sessions: 10 }, 'high'],
  ['one that fails most runs', { decided: 90, runs: 100 }, 'high'],
  ['one that fails most of few runs', { decided: 9, runs: 10 }, 'medium'],
  ['one that fails most runs and many met', { decided: 90, runs: 100, sessions: 40 }, 'critical'],
  ['one that every run survived', { ended: 0 }, 'low'],
  ['one that every run of many survived', { ended: 0, sessions: 40 }, 'low'],
  ['one that every run survived and that hits most', { ended: 0, decided: 90, runs: 100, sessions: 40 }, 'medium'],
  ['one of an agent’s tool, whatever its runs came to', { ended: 0, operation: 'execute_tool find' }, 'medium'],
  ['one of a model call, likewise', { ended: 0, operation: 'chat helper', signal: 'rate_limited' as const }, 'medium'],
  ['a hint that many met, once in a while', { signal: 'slow' as const, sessions: 40 }, 'low'],
  ['a hint that many met, often', { signal: 'slow' as const, sessions: 40, decided: 120 }, 'medium'],
  ['more failures than runs', { decided: 90, runs: 30, sessions: 40 }, 'critical'],
])('the severity of %s', (_, more, severity) => expect(severityOf(pain({ ended: 5, ...more }))).toBe(severity))

const quiet = { sinceMs: 0, quietRuns: 100, quietHours: 9 }
const WEEKS = 'same_hours_of_earlier_weeks' as const

describe('the order of pains', () => {
  test.each([
    ['more failures', { decided: 6 }, {}],
    ['failures that met more people', { sessions: 9, traces: 9 }, { decided: 6, sessions: 1, traces: 1 }],
    ['a graver signal', { ended: 1 }, { ended: 1, signal: 'slow' as const }],
    ['failures that end their runs', { decided: 3, ended: 3 }, { decided: 6 }],
    ['what was never seen before', { novelty: { kind: 'first_seen' as const, ...quiet } }, {}],
    [
      'what is new before what is back',
      { novelty: { kind: 'first_seen' as const, ...quiet } },
      { novelty: { kind: 'reappeared' as const, ...quiet } },
    ],
    ['what is back', { novelty: { kind: 'reappeared' as const, ...quiet } }, {}],
    [
      'what goes up',
      { season: { trend: 'rising' as const, season: WEEKS } },
      { season: { trend: 'steady' as const, season: WEEKS } },
    ],
    [
      'what stays before what goes down',
      { season: { trend: 'steady' as const, season: WEEKS } },
      { season: { trend: 'falling' as const, season: WEEKS } },
    ],
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
const HALVES = 'halves_of_the_window'
const season = (trend: 'rising' | 'steady' | 'falling') => ({ season: { trend, season: WEEKS } as const })
test.each([
  ['without earlier traffic', { ...halves(0, 9), earlier: { failures: 0, runs: 0 } }, { reason: 'no_earlier_traffic' }],
  ['with too few failures', halves(1, 3), { reason: 'too_few_failures' }],
  ['with as many before', halves(20, 22), { trend: 'steady', basis: HALVES }],
  ['with somewhat more', halves(20, 35), { trend: 'steady', basis: HALVES }],
  ['with more', halves(5, 40), { trend: 'rising', basis: HALVES }],
  ['with fewer', halves(40, 5), { trend: 'falling', basis: HALVES }],
  ['with none before, ever', halves(0, 12), { trend: 'new', basis: HALVES }],
  ['with none before in this window', { ...halves(0, 12), firstSeenMs: 1 }, { trend: 'rising', basis: HALVES }],
  ['with more, as every night', { ...halves(5, 40), ...season('steady') }, { trend: 'steady', basis: WEEKS }],
  [
    'with as many, but more than ever at these hours',
    { ...halves(20, 22), ...season('rising') },
    { trend: 'rising', basis: WEEKS },
  ],
  [
    'with more, and none in weeks',
    { ...halves(0, 22), ...season('rising'), novelty: { kind: 'first_seen' as const, ...quiet } },
    { trend: 'new', basis: WEEKS },
  ],
  ['with nearly none any more', { ...halves(1, 1), ...season('falling') }, { trend: 'falling', basis: WEEKS }],
])('the trend %s', (_, more, trend) => expect(trendOf(pain(more))).toEqual(trend))
