import { expect, test } from '@jest/globals'
import { projectsFirst } from './projects-first.ts'

const KIB = 1024

test.each([
  ['nothing waits', [], null],
  [
    'one project',
    [
      [1, 10],
      [1, 300 * KIB],
    ],
    null,
  ],
  [
    'two with little',
    [
      [1, 10],
      [2, 10],
    ],
    null,
  ],
  [
    'two with much',
    [
      [1, 300 * KIB],
      [2, 300 * KIB],
    ],
    null,
  ],
  [
    'a little beside much',
    [
      [1, 300 * KIB],
      [2, 10],
      [1, 300 * KIB],
    ],
    [2],
  ],
  ['two with little beside one with many small bodies', [...Array(100).fill([1, KIB]), [2, 10], [3, KIB]], [2, 3]],
] as [string, [number, number][], number[] | null][])('%s', (_, waiting, first) => {
  const bodies = waiting.map(([projectNo, bytes]) => ({ projectNo, body: new Uint8Array(bytes) }))
  expect(projectsFirst(bodies)).toEqual(first && new Set(first))
})
