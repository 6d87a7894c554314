import { expect, test } from '@jest/globals'
import { isMet } from './measure.ts'
import { measureTrends, simulateTrends } from './trend-alarms.ts'

const SIMULATED = { weeks: 2, seed: 3 }

test('pains that hurt as always are not called rising, and real rises are', () => {
  const { figures, note } = measureTrends(simulateTrends(SIMULATED), SIMULATED)
  process.stderr.write(`trends: ${note}\n`)
  expect(figures.filter((figure) => !(figure.floor === undefined ? isMet(figure) : figure.value >= figure.floor))).toEqual([])
})
