import { setPriority } from 'node:os'
import { platform } from 'node:process'
import { parentPort, workerData } from 'node:worker_threads'
import { createAttributeFilter } from '@loopkit/shared/otlp/decode-traces'
import { systemClock } from '@loopkit/shared/runtime/clock'
import { DETECTION_KEYS } from '@loopkit/shared/signals/detect'
import type { SignalType } from '@loopkit/shared/signals/signal-type'
import { WANTED_KEYS, WANTED_PREFIXES } from '@loopkit/shared/span/wanted-keys'
import { createDecider } from './decider.ts'
import type { DecideReport, DecideWorkerData } from './messages.ts'

const { telemetryPath, controlPath, quietMs, decideAfterMs, signalsOff } = workerData as DecideWorkerData
/** Time between two looks for traces to decide, in ms: a fraction of the quiet time, so that it adds little to it. */
const TICK_MS = Math.min(500, Math.max(20, quietMs / 4))
const CHECKPOINT_EVERY_MS = 500
const AFTER_FAILURE_MS = 1_000
/** Below every other thread: receiving goes before judging. */
const NICE = 10

// On Linux this names the calling thread; elsewhere it would slow the whole process down.
if (platform === 'linux') setPriority(0, NICE)

const decider = createDecider({
  telemetryPath,
  controlPath,
  quietMs,
  decideAfterMs,
  signalsOff: new Set(signalsOff as SignalType[]),
  filter: createAttributeFilter([...WANTED_KEYS, ...DETECTION_KEYS], WANTED_PREFIXES),
  clock: systemClock,
})
let checkpointedMs = Number.NEGATIVE_INFINITY
let timer = setTimeout(turn, TICK_MS)
report({ kind: 'ready' })

parentPort!.on('message', () => {
  clearTimeout(timer)
  decider.close()
  report({ kind: 'closed' })
  parentPort!.close()
})

function turn(): void {
  let pauseMs = TICK_MS
  try {
    const { decided, mayHaveMore } = decider.decideBatch()
    if (decided.length > 0) report({ kind: 'decided', hashes: BigUint64Array.from(decided) })
    if (mayHaveMore) pauseMs = 0
    if (systemClock.monotonicMs() - checkpointedMs >= CHECKPOINT_EVERY_MS) {
      decider.checkpoint()
      checkpointedMs = systemClock.monotonicMs()
    }
  } catch (error) {
    pauseMs = AFTER_FAILURE_MS
    report({
      kind: 'failed',
      code: (error as { code?: string }).code ?? (error as Error).name,
      message: (error as Error).message,
    })
  }
  timer = setTimeout(turn, pauseMs)
}

function report(message: DecideReport): void {
  parentPort!.postMessage(message)
}
