import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { sharedData } from '../harness/shared-data.ts'
import { type Product, startProduct } from '../harness/start-product.ts'
import { isMet } from './measure.ts'
import { type FoundPain, MUST_BE_SIBLINGS, measureMustFind, mustFindIn, readMustFind } from './must-find.ts'

const INGEST_MS = 180_000
const folder = join(sharedData, 'trail')

if (!existsSync(folder)) {
  test.skip('measured where ../shared/data/trail is present; here it is absent', () => {})
} else {
  let product: Product
  let pains: FoundPain[]
  beforeAll(async () => {
    product = await startProduct({ env: { LOOPKIT_QUIET_MS: '500' } })
    pains = await readMustFind(product, folder)
  }, INGEST_MS)
  afterAll(() => product?.stop())

  test('what a person sees at once is one pain each, among the first five of the packet', () => {
    const { figures, note } = measureMustFind(pains, mustFindIn(folder))
    process.stderr.write(`must-find pains: ${note}\n`)
    expect(figures.filter((figure) => !isMet(figure))).toEqual([])
  })

  test('the tool called with an empty argument is the heaviest pain, in many traces', () => {
    expect(pains[0]!.text).toContain(`${MUST_BE_SIBLINGS} ''`)
    expect(pains[0]!.session_count).toBeGreaterThan(5)
  })

  test('its siblings are pains of their own', () => {
    expect(pains.filter(({ text }) => text.includes(MUST_BE_SIBLINGS)).length).toBeGreaterThanOrEqual(3)
  })

  test('the rate limit is known as one', () => {
    expect(pains.filter(({ text }) => text.includes('rate_limit_error'))).toMatchObject([{ signal_type: 'rate_limited' }])
  })
}
