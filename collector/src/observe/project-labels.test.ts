import { expect, test } from '@jest/globals'
import { createProjectLabels } from './project-labels.ts'

test('so many projects are named, in the order they came, and all others are one', () => {
  const labelOf = createProjectLabels(2)
  expect(['a', 'b', 'c', 'a', 'd', 'b'].map(labelOf)).toEqual(['a', 'b', 'other', 'a', 'other', 'b'])
})
