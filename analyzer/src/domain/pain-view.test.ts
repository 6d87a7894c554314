import { describe, expect, test } from '@jest/globals'
import { closesCircle, resolveRoots } from './pain-view.ts'

const edges = (text: string) =>
  new Map(
    text
      .split(' ')
      .filter((edge) => edge !== '')
      .map((edge) => edge.split('>') as [string, string]),
  )

describe('a chain of merges ends at its root', () => {
  test.each([
    ['nothing merged', '', ''],
    ['one', 'a>b', 'a>b'],
    ['two into one', 'a>c b>c', 'a>c b>c'],
    ['a chain', 'a>b b>c c>d', 'a>d b>d c>d'],
    ['a chain whose end was merged last', 'b>c a>b', 'a>c b>c'],
    ['a circle in the file, at its smallest name', 'b>c c>b x>c', 'c>b x>b'],
  ])('%s', (_, given, expected) => {
    expect(new Map([...resolveRoots(edges(given))].sort())).toEqual(new Map([...edges(expected)].sort()))
  })
})

test.each([
  ['a>b', 'b', 'a', true],
  ['a>b b>c', 'c', 'a', true],
  ['a>b', 'c', 'a', false],
  ['a>b', 'a', 'c', false],
  ['', 'a', 'a', true],
])('with %p merging %s into %s closes a circle: %s', (given, child, parent, closes) => {
  expect(closesCircle(edges(given), { child, parent })).toBe(closes)
})
