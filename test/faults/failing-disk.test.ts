import { expect, test } from '@jest/globals'
import { whyNoLoopDisk, whyNoMount } from './fault-disk.ts'
import { whyNoShim } from './fault-shim.ts'
import { runDiskFull } from './run-disk-full.ts'
import { runPowerCuts } from './run-power-cuts.ts'
import { runSyncFailures } from './run-sync-failures.ts'

/** The short form; `node test/faults/all.ts` is the long one, with the control that must lose. */
const SEED = 5
const MINUTE_MS = 60_000

/** A test that needs root or a tool; it is skipped, and says so, where it cannot run. */
function testUnless(why: string | null, name: string, run: () => Promise<void>): void {
  // The runner keeps console lines of skipped tests to itself.
  if (why !== null) process.stderr.write(`skipped "${name}": ${why}\n`)
  const testOrSkip = why === null ? test : test.skip
  testOrSkip(name, run, MINUTE_MS)
}

testUnless(whyNoLoopDisk(), `a power cut under load loses no acknowledged span (seed ${SEED})`, async () => {
  const report = await runPowerCuts({ cuts: 1, seed: SEED })
  expect(report).toMatchObject({ lost: 0, doubled: 0, kept: true })
})

testUnless(whyNoShim(), `nothing is acknowledged after a failed fsync, and a restart recovers (seed ${SEED})`, async () => {
  const report = await runSyncFailures({ failures: 1, seed: SEED })
  expect(report).toMatchObject({ lost: 0, doubled: 0, kept: true, acknowledgedAfter: 0, exitCodes: [70] })
})

testUnless(whyNoMount(), 'a full disk refuses spans and answers questions until there is space again', async () => {
  const report = await runDiskFull({ fullMs: 500 })
  expect(report).toMatchObject({ lost: 0, doubled: 0, kept: true, wrongAnswers: 0, readsFailed: 0, crashed: false })
  expect(report.refused).toBeGreaterThan(0)
})
