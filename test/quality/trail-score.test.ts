import { expect, test } from '@jest/globals'
import { scoreTrail } from './trail-score.ts'

const label = (location: string, category: string) => ({ location, category })
const said = (location: string) => ({ location, kind: 'empty_output' as const })
const score = (labels: ReturnType<typeof label>[][], claims: ReturnType<typeof said>[][]) =>
  scoreTrail(
    labels.map((of, at) => ({ traceId: String(at), labels: of, said: claims[at]! })),
    { empty_output: ['Empty'] },
  )

test('a claim is right where span and category are labelled; the place counts by itself', () => {
  const { joint, location } = score([[label('a', 'Empty'), label('b', 'Other')]], [[said('a'), said('b'), said('c')]])
  expect(joint).toMatchObject({ recall: 0.5, precision: 1 / 3, claims: 3 })
  expect(location).toMatchObject({ recall: 1, precision: 2 / 3 })
})

test('the official accuracies are means over traces that have labels', () => {
  const { jointAccuracy, locationAccuracy } = score(
    [[label('a', 'Empty')], [label('b', 'Other')], []],
    [[said('a')], [said('b')], []],
  )
  expect([jointAccuracy, locationAccuracy]).toEqual([0.5, 1])
})

test('a kind without a category claims nothing', () => {
  expect(scoreTrail([{ traceId: 't', labels: [label('a', 'Empty')], said: [said('a')] }], {}).location.claims).toBe(0)
})

test('category F1 is weighted by how many traces have the category', () => {
  const { categoryF1 } = score([[label('a', 'Empty')], [label('b', 'Other')]], [[said('a')], []])
  expect(categoryF1).toBe(0.5)
})
