import { parseArgs } from 'node:util'
import { systemClock } from '@loopkit/shared/runtime/clock'
import { whyNoLoopDisk, whyNoMount } from './fault-disk.ts'
import type { KeptPromise } from './fault-rig.ts'
import { whyNoShim } from './fault-shim.ts'
import { HOSTILE_LOADS } from './hostile-bodies.ts'
import { runBackup } from './run-backup.ts'
import { runCallKills } from './run-call-kills.ts'
import { runClockSteps } from './run-clock-steps.ts'
import { runDamagedFiles } from './run-damaged-files.ts'
import { runDiskFull } from './run-disk-full.ts'
import { runFileSizeLimit, whyNoFileSizeLimit } from './run-file-size-limit.ts'
import { runFirstStarts } from './run-first-starts.ts'
import { runFlood } from './run-flood.ts'
import { runHostileLoad } from './run-hostile-load.ts'
import { runKills } from './run-kills.ts'
import { runOutOfMemory, whyNoMemoryGroup } from './run-out-of-memory.ts'
import { runPauses } from './run-pauses.ts'
import { runPowerCuts } from './run-power-cuts.ts'
import { runReadOnly } from './run-read-only.ts'
import { runSecondCollector } from './run-second-collector.ts'
import { runSlowSyncs } from './run-slow-syncs.ts'
import { runStops } from './run-stops.ts'
import { runSyncFailures } from './run-sync-failures.ts'
import { runWriteFailures } from './run-write-failures.ts'

/**
 * `node test/faults/all.ts`: every fault in its full form, one table, one line of JSON. Exit code 1 when a promise is broken, or
 * when the control lost nothing. `--kills 100 --call-kills 40 --cuts 20 --stops 20 --sync-failures 20 --seed 1 --minutes 20
 * --only power` shape the run.
 */
const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '100' },
    'call-kills': { type: 'string', default: '40' },
    cuts: { type: 'string', default: '20' },
    stops: { type: 'string', default: '20' },
    'sync-failures': { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
    minutes: { type: 'string', default: '20' },
    only: { type: 'string', default: '' },
  },
})
const seed = Number(values.seed)
const HEALTH_MAX_MS = 250
const RSS_MAX_MB = 512
/** Twice less than this is no delay that anybody sees, and more than a shared machine adds by itself. */
const QUIET_P99_MS = 20
const nowNano = BigInt(systemClock.nowMs()) * 1_000_000n
const ANSWER_MAX_MS = 250
const EXIT_MAX_MS = 1_000
const RESUME_MAX_MS = 5_000
const STOP_MAX_MS = 10_000

/** What one fault came to: `kept` is the verdict, the rest is for the reader. */
interface Row {
  fault: string
  kept: boolean
  acknowledged: number
  lost: number
  doubled: number
  seconds: number
  figures: Record<string, unknown>
}
interface Outcome {
  kept: boolean
  promise: Pick<KeptPromise, 'acknowledged' | 'lost' | 'doubled'>
  figures: Record<string, unknown>
}
interface Fault {
  name: string
  whyNot: string | null
  run(): Promise<Outcome>
}

const NO_SPANS = { acknowledged: 0, lost: 0, doubled: 0 }
const allAre = <T>(list: readonly T[], value: T): boolean => list.every((one) => one === value)

const FAULTS: Fault[] = [
  {
    name: `kill -9, ${values.kills} times`,
    whyNot: null,
    run: async () => {
      const seen = await runKills({ kills: Number(values.kills), cleanStops: 0, seed })
      const { lost, doubled, spurious, changed, accepted, acknowledged, killsUnderLoad } = seen
      const kept = lost + doubled + spurious.length + changed.length === 0 && accepted === acknowledged && killsUnderLoad > 0
      return { kept, promise: seen, figures: { killsUnderLoad } }
    },
  },
  {
    name: `killed at a write or fsync, ${values['call-kills']} times`,
    whyNot: whyNoShim(),
    run: async () => {
      const seen = await runCallKills({ kills: Number(values['call-kills']), seed })
      return { kept: seen.kept, promise: seen, figures: {} }
    },
  },
  {
    name: `power cut, ${values.cuts} times`,
    whyNot: whyNoLoopDisk(),
    run: async () => {
      const seen = await runPowerCuts({ cuts: Number(values.cuts), seed })
      return { kept: seen.kept, promise: seen, figures: { readyMaxMs: seen.readyMaxMs } }
    },
  },
  {
    name: 'control: power cut without fsync must lose',
    whyNot: whyNoLoopDisk() ?? whyNoShim(),
    run: async () => {
      const seen = await runPowerCuts({ cuts: 1, seed, withoutSync: true })
      return { kept: seen.lost > 0, promise: seen, figures: {} }
    },
  },
  {
    name: `fsync answers EIO, ${values['sync-failures']} times`,
    whyNot: whyNoShim(),
    run: async () => {
      const seen = await runSyncFailures({ failures: Number(values['sync-failures']), seed })
      const { acknowledgedAfter, exitCodes, exitMaxMs, readyMaxMs, ofWriter } = seen
      const kept = seen.kept && acknowledgedAfter === 0 && allAre(exitCodes, 70) && exitMaxMs <= EXIT_MAX_MS
      return { kept, promise: seen, figures: { acknowledgedAfter, exitMaxMs, readyMaxMs, ofWriter } }
    },
  },
  {
    name: 'single writes answer EIO, ENOSPC, EROFS',
    whyNot: whyNoShim(),
    run: async () => {
      const seen = await runWriteFailures({ failures: 12 })
      const { crashed, failures, sentAgain, health } = seen
      const kept = seen.kept && !crashed && failures > 0 && health.failed === 0
      return { kept, promise: seen, figures: { failures, sentAgain, healthMaxMs: health.maxMs } }
    },
  },
  ...[5, 200].map((delayMs) => ({
    name: `every fsync ${delayMs} ms slower`,
    whyNot: whyNoShim(),
    run: async () => {
      const seen = await runSlowSyncs({ delayMs, forMs: 5_000 })
      const { syncs, health } = seen
      const kept = seen.kept && health.failed === 0 && health.maxMs < HEALTH_MAX_MS
      return { kept, promise: seen, figures: { syncs, healthMaxMs: health.maxMs } }
    },
  })),
  {
    name: 'a flood from another project',
    whyNot: null,
    run: async () => {
      const { aloneP99Ms, besideP99Ms, refused, floodSpansPerSecond, delay } = await runFlood({ forMs: 10_000, nowNano })
      const kept = refused === 0 && besideP99Ms <= 2 * Math.max(aloneP99Ms, QUIET_P99_MS) && delay.maxMs <= HEALTH_MAX_MS
      return {
        kept,
        promise: NO_SPANS,
        figures: { aloneP99Ms, besideP99Ms, refused, floodSpansPerSecond, delayMaxMs: delay.maxMs },
      }
    },
  },
  ...HOSTILE_LOADS.map(({ name }) => ({
    name,
    whyNot: null,
    run: async () => {
      const seen = await runHostileLoad({ name, forMs: 8_000 })
      const { peakRssBytes, recoveredAfterMs, wrongAnswers, health, delay } = seen
      const peakRssMb = Math.round(peakRssBytes / 2 ** 20)
      const isBounded = peakRssMb <= RSS_MAX_MB && delay.maxMs <= HEALTH_MAX_MS && recoveredAfterMs <= RESUME_MAX_MS
      const kept = seen.kept && isBounded && wrongAnswers.length + health.failed === 0
      const figures = { peakRssMb, delayP999Ms: delay.p999Ms, delayMaxMs: delay.maxMs, recoveredAfterMs, wrongAnswers }
      return { kept, promise: seen, figures }
    },
  })),
  {
    name: 'disk full',
    whyNot: whyNoMount(),
    run: async () => {
      const { refused, wrongAnswers, answerMaxMs, reads, readsFailed, resumedAfterMs, crashed, ...promise } = await runDiskFull({
        fullMs: 5_000,
      })
      const isPrompt = answerMaxMs <= ANSWER_MAX_MS && resumedAfterMs <= RESUME_MAX_MS
      const kept = promise.kept && refused > 0 && wrongAnswers + readsFailed === 0 && !crashed && isPrompt
      return { kept, promise, figures: { refused, answerMaxMs, reads, readsFailed, resumedAfterMs } }
    },
  },
  {
    name: 'disk turned read-only',
    whyNot: whyNoLoopDisk(),
    run: async () => {
      const { refused, wrongAnswers, answerMaxMs, readsFailed, state, ...promise } = await runReadOnly()
      const kept = promise.kept && wrongAnswers + readsFailed === 0 && (state === 'running' || state === 70)
      return { kept, promise, figures: { refused, answerMaxMs, readsFailed, state } }
    },
  },
  {
    name: 'files that may not grow',
    whyNot: whyNoFileSizeLimit(),
    run: async () => {
      const { refused, wrongAnswers, state, ...promise } = await runFileSizeLimit()
      return { kept: promise.kept && wrongAnswers === 0, promise, figures: { refused, wrongAnswers, state } }
    },
  },
  {
    name: 'killed by the kernel for its memory',
    whyNot: whyNoMemoryGroup(),
    run: async () => {
      const { exitCode, ...promise } = await runOutOfMemory()
      return { kept: promise.kept && exitCode === null, promise, figures: {} }
    },
  },
  {
    name: 'clock set back an hour and ahead three',
    whyNot: whyNoShim(),
    run: async () => {
      const { resumedMaxMs, stayedReady, negativeDurations, crashed, ...promise } = await runClockSteps()
      const kept = promise.kept && stayedReady && !crashed && negativeDurations === 0
      return { kept, promise, figures: { resumedMaxMs } }
    },
  },
  {
    name: 'killed while it starts on an older schema, 50 times',
    whyNot: null,
    run: async () => {
      const { struck, mixed, started } = await runFirstStarts({ kills: 50, seed })
      return { kept: mixed === 0 && started && struck > 0, promise: NO_SPANS, figures: { struck, mixed } }
    },
  },
  {
    name: 'SIGSTOP and SIGCONT, 5 times 3 s',
    whyNot: null,
    run: async () => {
      const { resumedMaxMs, crashed, ...promise } = await runPauses({ pauses: 5, pauseMs: 3_000 })
      return { kept: promise.kept && !crashed, promise, figures: { resumedMaxMs } }
    },
  },
  {
    name: `SIGTERM under load, ${values.stops} times`,
    whyNot: null,
    run: async () => {
      const { exitCodes, stopMaxMs, readyMaxMs, ...promise } = await runStops({ stops: Number(values.stops), seed })
      const kept = promise.kept && allAre(exitCodes, 0) && stopMaxMs <= STOP_MAX_MS
      return { kept, promise, figures: { exits0: exitCodes.filter((code) => code === 0).length, stopMaxMs, readyMaxMs } }
    },
  },
  {
    name: 'damaged and lost files',
    whyNot: null,
    run: async () => {
      const seen = await runDamagedFiles()
      console.table(seen.map(({ says, ...one }) => ({ ...one, says: says.slice(0, 90) })))
      const broken = seen.filter(({ isKept }) => !isKept).map(({ name }) => name)
      const lossy = seen.filter(({ gone }) => gone > 0).length
      return {
        kept: broken.length === 0,
        promise: NO_SPANS,
        figures: { cases: seen.length, lossy, broken: broken.join(' · ') || 0 },
      }
    },
  },
  {
    name: 'backup under load, restored elsewhere, 3 times',
    whyNot: null,
    run: async () => {
      const seen = await runBackup({ backups: 3 })
      const { backupMaxMs, megabytes, notInBackup, complaints, wronglyTaken, refusedMeanwhile } = seen
      const kept = seen.kept && notInBackup + complaints + wronglyTaken.length + refusedMeanwhile === 0
      const figures = { backupMaxMs, megabytes, notInBackup, complaints, wronglyTaken: wronglyTaken.join(' · ') || 0 }
      return { kept, promise: seen, figures }
    },
  },
  {
    name: 'second collector on the folder',
    whyNot: null,
    run: async () => {
      const { exitCode, ...promise } = await runSecondCollector()
      return { kept: promise.kept && exitCode === 75, promise, figures: { exitCode } }
    },
  },
]

const rows: Row[] = []
const skipped: Record<string, string> = {}
const timeIsUp = setTimeout(() => {
  console.log(`BROKEN: not done after ${values.minutes} minutes`)
  process.exit(1)
}, Number(values.minutes) * 60_000)

for (const { name, whyNot, run } of FAULTS.filter((fault) => fault.name.includes(values.only))) {
  if (whyNot !== null) {
    skipped[name] = whyNot
    console.log(`skipped: ${name}: ${whyNot}`)
    continue
  }
  const startedMs = performance.now()
  const { kept, promise, figures } = await run().catch((error: Error): Outcome => {
    console.log(`${name}: ${error.message}`)
    return { kept: false, promise: NO_SPANS, figures: { error: error.message.split('\n')[0] } }
  })
  const seconds = Math.round((performance.now() - startedMs) / 1000)
  const { acknowledged, lost, doubled } = promise
  rows.push({ fault: name, kept, acknowledged, lost, doubled, seconds, figures })
  console.log(`${kept ? 'kept  ' : 'BROKEN'} ${name}`)
}
clearTimeout(timeIsUp)
console.table(
  rows.map(({ figures, ...row }) => ({
    ...row,
    figures: Object.entries(figures)
      .map(([name, value]) => `${name} ${value}`)
      .join(', '),
  })),
)
console.log(JSON.stringify({ seed, node: process.version, rows, skipped }))
process.exit(rows.every(({ kept }) => kept) ? 0 : 1)
