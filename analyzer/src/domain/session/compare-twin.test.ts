import { expect, test } from '@jest/globals'
import { compareWithTwin, likeness } from './compare-twin.ts'
import { failed, idOf, steps, tool, turn } from './session.fixture.ts'

const healthy = steps([turn('t1', 'a'), tool('x'), turn('t2', 'a')])

test.each([
  ['the same steps do not part', [turn('o1', 'a'), tool('o2'), turn('o3', 'a')], null],
  ['a step that failed', [turn('o1', 'a'), tool('o2', failed), turn('o3', 'a')], ['failed', 'o2', 'x']],
  ['a step that the twin does not have', [turn('o1', 'a'), tool('o2'), tool('o3'), turn('o4', 'a')], ['only_here', 'o3', null]],
  ['a step that only the twin has', [turn('o1', 'a'), turn('o3', 'a')], ['only_in_twin', null, 'x']],
  ['what is lacking before what is too much', [turn('o1', 'a'), turn('o2', 'a'), turn('o3', 'a')], ['only_in_twin', null, 'x']],
])('where two sessions part: %s', (_, sketches, parting) => {
  const ours = steps(sketches)
  const { parted } = compareWithTwin(ours, healthy)
  const shown = parted && [
    parted.kind,
    parted.ours === null ? null : idOf(ours[parted.ours]!),
    parted.theirs === null ? null : idOf(healthy[parted.theirs]!),
  ]
  expect(shown).toEqual(parting)
})

test('what runs side by side may begin in any order', () => {
  const one = steps([
    { id: 'root', end: 99 },
    { id: 'a', parent: 'root', name: 'query', start: 5 },
    { id: 'b', parent: 'root', name: 'cache', start: 6 },
  ])
  const other = steps([
    { id: 'root', end: 99 },
    { id: 'a', parent: 'root', name: 'query', start: 6 },
    { id: 'b', parent: 'root', name: 'cache', start: 5 },
  ])
  expect(compareWithTwin(one, other)).toEqual({ same: 3, onlyHere: 0, onlyInTwin: 0, parted: null })
})

test.each([
  ['itself', healthy, 1],
  ['nothing in common', steps([{ id: 'z', name: 'GET /' }]), 0],
  ['one step less', steps([turn('t1', 'a'), tool('x')]), 0.8],
])('likeness to %s', (_, other, share) => {
  expect([likeness(healthy, other), likeness(other, healthy)]).toEqual([share, share])
})
