import { expect, test } from '@jest/globals'
import { runKills } from './run-kills.ts'

const SEED = 3
const MINUTE_MS = 60_000

test(
  `kill -9 of the collector under load loses no acknowledged span and stores none twice (seed ${SEED})`,
  async () => {
    const report = await runKills({ kills: 3, seed: SEED })
    expect(report).toMatchObject({ missing: [], twice: [], spurious: [], changed: [], accepted: report.acknowledged })
    expect(report.exitCodes).toEqual({ collector: 0, analyzer: 0 })
    expect(report.acknowledged).toBeGreaterThan(500)
    expect(report.killsUnderLoad).toBeGreaterThan(0)
  },
  MINUTE_MS,
)
