import { expect, test } from '@jest/globals'
import { runKills } from './run-kills.ts'

const SEED = 3
const MINUTE_MS = 60_000

test(
  `kill -9 and SIGTERM of the collector under load lose no acknowledged span and store none twice (seed ${SEED})`,
  async () => {
    const report = await runKills({ kills: 3, cleanStops: 1, seed: SEED })
    expect(report).toMatchObject({ missing: [], twice: [], spurious: [], changed: [], accepted: report.acknowledged })
    expect(report.exitCodes).toEqual([0, 0])
    expect(report.acknowledged).toBeGreaterThan(500)
    expect(report.killsUnderLoad).toBeGreaterThan(0)
  },
  MINUTE_MS,
)
