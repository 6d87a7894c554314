import { expect, test } from '@jest/globals'
import { countFalseAlarms, measureFalseAlarms } from './false-alarms.ts'
import { isMet } from './measure.ts'

const HEALTHY = { traces: 1_500, seed: 7 }

test('what is healthy is no pain above severity low', () => {
  const { figures, note } = measureFalseAlarms(countFalseAlarms(HEALTHY), HEALTHY)
  process.stderr.write(`false alarms: ${note}\n`)
  expect(figures.filter((figure) => !isMet(figure))).toEqual([])
})
