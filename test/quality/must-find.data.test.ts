import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { sharedData } from '../harness/shared-data.ts'
import { MUST_BE_SIBLINGS, painsIn } from './must-find.ts'
import { readTrail } from './trail-traces.ts'

const folder = join(sharedData, 'trail')

if (!existsSync(folder)) {
  test.skip('measured where ../shared/data/trail is present; here it is absent', () => {})
} else {
  const pains = painsIn(readTrail(folder))

  test('the tool called with an empty argument is the largest pain, in many traces', () => {
    expect(pains[0]!.text).toContain(`${MUST_BE_SIBLINGS} ''`)
    expect(pains[0]!.traces).toBeGreaterThan(5)
  })

  test('its siblings are pains of their own', () => {
    expect(pains.filter(({ text }) => text.includes(MUST_BE_SIBLINGS)).length).toBeGreaterThanOrEqual(3)
  })

  test('the unbound variable is among the first five', () => {
    expect(pains.slice(0, 5).filter(({ text }) => text.includes("cannot access local variable 'res'"))).toHaveLength(1)
  })

  test('the rate limit is known as one', () => {
    expect(pains.filter(({ text }) => text.includes('rate_limit_error'))).toMatchObject([{ signal: 'rate_limited' }])
  })
}
