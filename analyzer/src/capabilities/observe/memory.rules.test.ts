import { describe, expect, test } from '@jest/globals'
import { type PainEvent, rememberPains } from './memory.rules.ts'

const decision = (next: string, atMs: number): PainEvent => ({ kind: 'decision', painId: 'p', next, note: null, atMs })
const change = (atMs: number): PainEvent => ({ kind: 'change', painId: 'p', changeId: 'c', atMs })
const verdict = (said: string, atMs: number): PainEvent => ({
  kind: 'verdict',
  painId: 'p',
  changeId: 'c',
  verdict: said,
  changePercent: null,
  atMs,
})

describe('a pain is', () => {
  test.each([
    ['in flight when it is to be patched', [decision('patch', 1)], 'inFlight'],
    ['in flight when a change names it', [change(1)], 'inFlight'],
    ['in flight when a change names it at the moment of the decision', [change(1), decision('patch', 1)], 'inFlight'],
    ['fixed when it held', [decision('patch', 1), change(2), verdict('held', 3)], 'fixed'],
    ['slipped when it came back', [verdict('held', 3), verdict('slipped', 5)], 'slipped'],
    ['slipped when it became worse', [change(2), verdict('worse', 3)], 'slipped'],
    ['in flight again when it is patched once more', [verdict('slipped', 3), decision('patch', 4)], 'inFlight'],
    ['still in flight when traffic says neither', [change(2), verdict('unchanged', 3)], 'inFlight'],
    ['forgotten when it is skipped after all', [decision('patch', 1), decision('skip', 2)], null],
    ['still fixed when it is only observed', [verdict('held', 1), decision('observe', 2)], 'fixed'],
    ['nothing when it was skipped', [decision('skip', 1)], null],
  ])('%s', (_, events, where) => {
    const { fixed, slipped, inFlight } = rememberPains([...events].reverse(), null)
    const found = Object.entries({ fixed, slipped, inFlight }).flatMap(([name, { length }]) => (length > 0 ? [name] : []))
    expect(found).toEqual(where === null ? [] : [where])
  })
})

test('what was said after the last decision is news', () => {
  expect(rememberPains([verdict('held', 5)], 4).fixed[0]!.sinceLastDecision).toBe(true)
  expect(rememberPains([verdict('held', 5)], 5).fixed[0]!.sinceLastDecision).toBe(false)
})
