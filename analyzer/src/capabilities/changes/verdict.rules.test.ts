import { describe, expect, test } from '@jest/globals'
import type { Traffic } from '../../domain/verification/traffic.ts'
import { changePercent, judgeChange, type VerdictFacts } from './verdict.rules.ts'

const RULE = { delta: 0.2, alpha: 0.07 }
const WINDOWS = 20
/** Spread evenly over twenty windows; `weight` is what each span stands for. */
const side = (failures: number, runs: number, { weight = 1, windows = WINDOWS } = {}): Traffic => ({
  failures: failures * weight,
  failuresSquared: failures * weight * weight,
  runs: runs * weight,
  windows: Array.from({ length: runs > 0 ? windows : 0 }, () => ({
    runs: (runs * weight) / windows,
    failures: (failures * weight) / windows,
  })),
})
/** All failures in two of the windows. */
const clumped = (failures: number, runs: number): Traffic => ({
  ...side(failures, runs),
  windows: side(0, runs).windows.map((window, i) => ({ ...window, failures: i === 3 || i === 9 ? failures / 2 : 0 })),
})
const sampled = ({ runs, failures, windows }: Traffic) => ({ spans: runs, runs, failures, minutes: windows.length })
const facts = (before: Traffic, after: Traffic, more: Partial<VerdictFacts> = {}): VerdictFacts => ({
  before,
  after,
  parent: null,
  serviceRunsAfter: after.runs,
  oldVersionRunsAfter: 0,
  control: null,
  rise: null,
  sampling: { before: sampled(before), after: sampled(after) },
  plan: null,
  ...more,
})

describe('a change', () => {
  test.each([
    ['no failure where there were many', facts(side(50, 500), side(0, 500)), 'held', null],
    ['a tenth of the failures', facts(side(200, 2000), side(20, 2000)), 'held', null],
    ['three times the failures', facts(side(50, 500), side(150, 500)), 'worse', null],
    ['failures where there were none', facts(side(0, 500), side(50, 500)), 'worse', null],
    ['the same rate, with much traffic', facts(side(5000, 50_000), side(5000, 50_000)), 'unchanged', null],
    ['the same rate, with little traffic', facts(side(50, 500), side(50, 500)), 'refused', 'insufficient_traffic'],
    ['somewhat fewer failures, with much traffic', facts(side(400, 4000), side(320, 4000)), 'refused', 'inconclusive'],
    ['one failure before and none after', facts(side(1, 100), side(0, 100)), 'refused', 'insufficient_traffic'],
    ['too few runs after', facts(side(50, 500), side(0, 10)), 'refused', 'insufficient_traffic'],
    ['two failures where there were none', facts(side(0, 500), side(2, 500)), 'refused', 'insufficient_traffic'],
    ['few failures where there were none, with much traffic', facts(side(0, 500), side(4, 2000)), 'refused', 'inconclusive'],
    ['no failure on either side', facts(side(0, 500), side(0, 500)), 'refused', 'no_data'],
    ['no run before', facts(side(0, 0), side(5, 500)), 'refused', 'no_data'],
    ['no run after', facts(side(50, 500), side(0, 0)), 'refused', 'no_data'],
    [
      'no run of this operation after',
      facts(side(50, 500), side(0, 0), { serviceRunsAfter: 9 }),
      'refused',
      'path_not_exercised',
    ],
    [
      'only the old version after',
      facts(side(50, 500), side(0, 0), { oldVersionRunsAfter: 9 }),
      'refused',
      'still_on_old_version',
    ],
    [
      'no failure in these words, but as many in others',
      facts(side(50, 500), side(0, 500), { parent: { before: side(50, 500), after: side(50, 500) } }),
      'moved',
      null,
    ],
    [
      'a fall of the parent key too',
      facts(side(50, 500), side(0, 500), { parent: { before: side(60, 500), after: side(1, 500) } }),
      'held',
      null,
    ],
    [
      'a rise above what was held',
      facts(side(300, 1000), side(60, 1000), { rise: { held: side(2, 500), since: side(58, 500), replaced: null } }),
      'slipped',
      null,
    ],
    [
      'the version back that was replaced, failing as before',
      facts(side(100, 1000), side(2, 500), { rise: { held: side(2, 500), since: side(40, 400), replaced: side(60, 600) } }),
      'slipped',
      null,
    ],
    [
      'the version back that was replaced, failing no more',
      facts(side(60, 1000), side(2, 500), { rise: { held: side(2, 500), since: side(2, 400), replaced: side(58, 600) } }),
      'held',
      null,
    ],
    [
      'still what was held',
      facts(side(300, 1000), side(4, 1000), { rise: { held: side(2, 500), since: side(2, 500), replaced: null } }),
      'held',
      null,
    ],
    ['as many failures among a tenth of the healthy runs', facts(side(50, 5000), side(50, 500)), 'refused', 'sampling_changed'],
    ['failures that came in two clumps before', facts(clumped(50, 500), side(0, 500)), 'refused', 'insufficient_traffic'],
    ['traffic of a single moment before', facts(side(50, 500, { windows: 3 }), side(0, 500)), 'refused', 'insufficient_traffic'],
    ['traffic of a single moment after', facts(side(50, 500), side(0, 500, { windows: 3 })), 'refused', 'insufficient_traffic'],
    [
      'few failures that stand for many',
      facts(side(5, 50, { weight: 100 }), side(0, 50, { weight: 100 })),
      'refused',
      'insufficient_traffic',
    ],
    ['many failures that stand for more', facts(side(50, 500, { weight: 10 }), side(0, 500, { weight: 10 })), 'held', null],
  ])('with %s', (_, given, verdict, reason) => expect(judgeChange(given, RULE)).toMatchObject({ verdict, reason }))

  test('is compared with its control where it has one, and shows the ratio of all beside it', () => {
    const [before, after] = [side(100, 1000), side(60, 400)]
    const compared = { before: side(120, 400), after }
    const said = judgeChange(facts(before, after, { control: { kind: 'same_time', compared } }), RULE)
    expect(said.verdict).toBe('held')
    expect(said.ratio?.value).toBeCloseTo(1.5)
    expect(said.controlRatio?.value).toBeCloseTo(0.5)
    const fallen = { kind: 'latest_stretch' as const, compared: { before: side(0, 400), after: side(0, 400) } }
    expect(judgeChange(facts(before, side(0, 400), { control: fallen }), RULE)).toMatchObject({
      verdict: 'refused',
      reason: 'no_data',
    })
    const idle = { kind: 'same_operations' as const, compared: { before: side(0, 400), after: side(0, 400) } }
    expect(judgeChange(facts(before, side(0, 400), { control: idle }), RULE)).toMatchObject({ reason: 'path_not_exercised' })
  })

  test('that siblings made up for has moved, and where they fail as ever it has held', () => {
    const [before, after] = [side(50, 500), side(0, 500)]
    const said = (siblings: number) =>
      judgeChange(facts(before, after, { parent: { before: side(150, 500), after: side(siblings, 500) } }), RULE).verdict
    expect([said(145), said(100)]).toEqual(['moved', 'held'])
  })

  test('with the runs that were said to be missing, and no failure, has held', () => {
    const before = side(30, 300)
    const { runsNeeded } = judgeChange(facts(before, side(0, 10)), RULE)
    expect(judgeChange(facts(before, side(0, 10 + runsNeeded!)), RULE).verdict).toBe('held')
    expect(judgeChange(facts(before, side(0, 10 + Math.floor(runsNeeded! / 20))), RULE).verdict).toBe('refused')
  })
})

test('of which most of before came after the plan was made is judged as if it had been there', () => {
  const given = facts(side(120, 1200), side(40, 1200))
  const early = judgeChange({ ...given, plan: { lastLookRuns: 10, minimumRuns: 40 } }, RULE)
  expect(early.ratio).toEqual(judgeChange(given, RULE).ratio)
})

test.each([
  ['a fall by half', side(10, 100), side(5, 100), -50],
  ['the same rate over more runs', side(10, 100), side(20, 200), 0],
  ['a rise', side(10, 100), side(15, 100), 50],
  ['nothing before', side(0, 100), side(5, 100), null],
  ['no run after', side(10, 100), side(0, 0), null],
])('the change in percent of %s', (_, before, after, percent) => expect(changePercent(before, after)).toBe(percent))
