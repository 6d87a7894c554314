import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { sharedData } from '../harness/shared-data.ts'
import { startProduct } from '../harness/start-product.ts'
import { describeTrail, measureTrail } from './trail.ts'
import { measureTrailThrough } from './trail-ingest.ts'

const INGEST_MS = 180_000
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

  test(
    'the product finds the same in traces that were sent to it, stored and decided',
    async () => {
      const product = await startProduct({ env: { LOOPKIT_QUIET_MS: '500' } })
      try {
        const through = await measureTrailThrough(product, folder)
        process.stderr.write(`through the real ingest: ${describeTrail(through)}\n`)
        // Records that only passed an error on show their own signal, too, so there are a few more claims.
        expect(through.all.joint.recall).toBe(figures.all.joint.recall)
        expect(through.all.location.recall).toBe(figures.all.location.recall)
        expect(through.all.joint.precision).toBeGreaterThanOrEqual(0.35)
        expect(through.all.location.f1).toBeGreaterThanOrEqual(0.5)
      } finally {
        await product.stop()
      }
    },
    INGEST_MS,
  )

  test('what is claimed of each kind holds on traces that the choice did not see', () => {
    const { crossValidated } = figures
    expect(crossValidated.joint.recall).toBeGreaterThanOrEqual(0.25)
    expect(crossValidated.joint.precision).toBeGreaterThanOrEqual(0.35)
    expect(crossValidated.location.f1).toBeGreaterThanOrEqual(0.5)
  })
}
