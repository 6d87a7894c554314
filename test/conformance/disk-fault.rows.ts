import { expect } from '@jest/globals'
import { whyNoLoopDisk, whyNoMount } from '../faults/fault-disk.ts'
import { whyNoShim } from '../faults/fault-shim.ts'
import { runCallKills } from '../faults/run-call-kills.ts'
import { runDiskFull } from '../faults/run-disk-full.ts'
import { runDiskKinds } from '../faults/run-disk-kinds.ts'
import { runFileSizeLimit, whyNoFileSizeLimit } from '../faults/run-file-size-limit.ts'
import { runPowerCuts } from '../faults/run-power-cuts.ts'
import { runReadOnly } from '../faults/run-read-only.ts'
import { runSyncFailures } from '../faults/run-sync-failures.ts'
import { runWriteFailures } from '../faults/run-write-failures.ts'
import type { Row } from './rule-ids.ts'

/** The short form of each; `node test/faults/all.ts` is the long one, with the control that must lose. */
const SEED = 5
/** Generous, for machines that do something else too; each takes seconds. */
const TIMEOUT_MS = 180_000
const KEPT = { lost: 0, doubled: 0, spurious: [], changed: [], kept: true }

/** Faults of the disk under load, each on a collector of its own: what was acknowledged is there, once. */
export const diskFaultRows: Row<null>[] = [
  {
    ids: ['O51'],
    name: 'a full disk refuses spans with a 503 that says when, answers questions, and is taken up again by itself',
    whyNot: whyNoMount,
    timeoutMs: TIMEOUT_MS,
    run: async () => {
      const report = await runDiskFull({ fullMs: 500 })
      expect(report).toMatchObject({ ...KEPT, wrongAnswers: 0, readsFailed: 0, crashed: false })
      expect(report.refused).toBeGreaterThan(0)
    },
  },
  {
    ids: ['O52'],
    name: `after an fsync that failed nothing is acknowledged; the process ends with 70, and a restart recovers (seed ${SEED})`,
    whyNot: whyNoShim,
    timeoutMs: TIMEOUT_MS,
    run: async () =>
      expect(await runSyncFailures({ failures: 1, seed: SEED })).toMatchObject({
        ...KEPT,
        acknowledgedAfter: 0,
        exitCodes: [70],
      }),
  },
  {
    ids: ['O53'],
    name: 'single writes that fail are taken back and refused, and the process goes on',
    whyNot: whyNoShim,
    timeoutMs: TIMEOUT_MS,
    run: async () => {
      const report = await runWriteFailures({ failures: 3 })
      expect(report).toMatchObject({ ...KEPT, crashed: false, health: { failed: 0 } })
      expect(report.failures).toBeGreaterThan(0)
    },
  },
  {
    ids: ['O54'],
    name: 'a disk that turns read-only refuses spans and answers questions, and a sound one brings everything back',
    whyNot: whyNoLoopDisk,
    timeoutMs: TIMEOUT_MS,
    run: async () => {
      const report = await runReadOnly()
      expect(report).toMatchObject({ ...KEPT, wrongAnswers: 0, readsFailed: 0 })
      expect(['running', 70]).toContain(report.state)
    },
  },
  {
    ids: ['O55'],
    name: 'files that may not grow refuse spans with a 503 that says when, and are taken up again when they may',
    whyNot: whyNoFileSizeLimit,
    timeoutMs: TIMEOUT_MS,
    run: async () => {
      const report = await runFileSizeLimit()
      expect(report).toMatchObject({ ...KEPT, wrongAnswers: 0 })
      expect(report.refused).toBeGreaterThan(0)
    },
  },
  {
    ids: ['O56', 'O57'],
    name: `killed in the middle of a write and around an fsync, a restart has every acknowledged span once (seed ${SEED})`,
    whyNot: whyNoShim,
    timeoutMs: TIMEOUT_MS,
    run: async () => expect(await runCallKills({ kills: 4, seed: SEED })).toMatchObject(KEPT),
  },
  {
    ids: ['O57'],
    name: `a power cut under load loses no acknowledged span (seed ${SEED})`,
    whyNot: whyNoLoopDisk,
    timeoutMs: TIMEOUT_MS,
    run: async () => expect(await runPowerCuts({ cuts: 1, seed: SEED })).toMatchObject(KEPT),
  },
  {
    ids: ['O62'],
    name: 'a network disk is refused with its name unless a setting allows it; a container’s layer is not',
    side: 'on an overlay SQLite works within one kernel: it is told in the log, not refused',
    whyNot: whyNoShim,
    timeoutMs: TIMEOUT_MS,
    run: async () =>
      expect(await runDiskKinds()).toEqual([
        {
          kind: 'NFS',
          start: expect.stringMatching(/ended with 78\n.* lies on NFS, .*LOOPKIT_ALLOW_NETWORK_DISK/),
          startAllowed: 'listens',
        },
        { kind: 'FUSE', start: expect.stringMatching(/ended with 78\n.* lies on FUSE, /), startAllowed: 'listens' },
        { kind: 'overlay', start: 'listens', startAllowed: 'listens' },
      ]),
  },
]
