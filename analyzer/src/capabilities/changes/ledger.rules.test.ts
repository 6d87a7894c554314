import { expect, test } from '@jest/globals'
import { type PainEvent, painStatuses } from './ledger.rules.ts'

const change = (atMs: number): PainEvent => ({ kind: 'change', atMs, painIds: ['p'] })
const verdict = (atMs: number, word: string): PainEvent => ({ kind: 'verdict', atMs, painIds: ['p'], verdict: word })

test.each([
  ['nothing known', [], undefined],
  ['a change that names it', [change(1)], 'in_progress'],
  ['a verdict held', [change(1), verdict(2, 'held')], 'verified'],
  ['slipped after held', [change(1), verdict(2, 'held'), verdict(3, 'slipped')], 'regression'],
  ['worse', [change(1), verdict(2, 'worse')], 'regression'],
  ['a new attempt after a regression', [change(1), verdict(2, 'worse'), change(3)], 'in_progress'],
  ['a verdict that says neither', [change(1), verdict(2, 'unchanged')], 'in_progress'],
  ['events in another order', [verdict(2, 'held'), change(1)], 'verified'],
  ['a verdict of the same moment', [verdict(1, 'held'), change(1)], 'verified'],
])('the state of a pain with %s', (_, events, status) => expect(painStatuses(events).p).toBe(status))
