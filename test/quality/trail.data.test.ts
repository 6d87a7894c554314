import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { sharedData } from '../harness/shared-data.ts'
import { describeTrail, measureTrail } from './trail.ts'

const folder = join(sharedData, 'trail')

if (!existsSync(folder)) {
  test.skip('measured where ../shared/data/trail is present; here it is absent', () => {})
} else {
  const figures = measureTrail(folder)
  process.stderr.write(`${describeTrail(figures)}\n`)

  test('errors of agents are found, where they are and of which kind, without flagging everything', () => {
    const { all } = figures
    expect(all.joint.recall).toBeGreaterThanOrEqual(0.25)
    expect(all.jointAccuracy).toBeGreaterThanOrEqual(0.25)
    expect(all.joint.precision).toBeGreaterThanOrEqual(0.35)
    expect(all.location.f1).toBeGreaterThanOrEqual(0.5)
  })

  test('what is claimed of each kind holds on traces that the choice did not see', () => {
    const { crossValidated } = figures
    expect(crossValidated.joint.recall).toBeGreaterThanOrEqual(0.25)
    expect(crossValidated.joint.precision).toBeGreaterThanOrEqual(0.35)
    expect(crossValidated.location.f1).toBeGreaterThanOrEqual(0.5)
  })
}
