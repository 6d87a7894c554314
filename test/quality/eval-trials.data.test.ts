import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { sharedData } from '../harness/shared-data.ts'
import { evalFigures } from './eval-trials.ts'

const path = join(sharedData, 'tau_airline.json.gz')

if (!existsSync(path)) {
  test.skip('measured where ../shared/data/tau_airline.json.gz is present; here it is absent', () => {})
} else {
  const { withTwin, withoutTwin, failing, loneFailing, unmarked } = evalFigures(path)

  test('candidates are drafted from every failing trial, and say where they lack a healthy one', () => {
    expect(failing).toBeGreaterThan(loneFailing)
    expect(unmarked).toBe(0)
  })

  test('with a healthy run neither side is bought with the other', () => {
    expect(withTwin.failing.right / withTwin.failing.of).toBeGreaterThanOrEqual(0.9)
    expect(withTwin.passing.right / withTwin.passing.of).toBeGreaterThanOrEqual(0.9)
  })

  test('without one a candidate still tells more than chance on both sides', () => {
    expect(withoutTwin.failing.right / withoutTwin.failing.of).toBeGreaterThan(0.5)
    expect(withoutTwin.passing.right / withoutTwin.passing.of).toBeGreaterThan(0.5)
  })
}
