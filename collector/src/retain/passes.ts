import type { Clock } from '@loopkit/shared/runtime/clock'
import { createBelievedClock } from './believed-clock.ts'
import type { RetainReport } from './messages.ts'
import { type PassOptions, type Removed, retentionPass } from './retention-pass.ts'

/** Passes of retention, one after the other, each in small steps. */
export interface Passes {
  isRunning(): boolean
  start(): void
  /** One step of the pass that runs; a pass that removed something is told at its end. */
  step(): void
}

/** Passes between two walks of the tables that have no index by time. */
const SWEEP_EVERY_PASSES = 60

export function createPasses(options: PassOptions, clock: Clock, report: (report: RetainReport) => void): Passes {
  const { store } = options
  let running: { steps: Generator<Removed>; tally: Tally } | null = null
  const believed = createBelievedClock(clock, (state, aheadMs) => report({ kind: 'clock_jump', state, aheadMs }))
  let count = 0

  return {
    isRunning: () => running !== null,
    start() {
      const isSweep = count++ % SWEEP_EVERY_PASSES === 0
      store.takeLongestMs()
      running = { steps: retentionPass(options, believed.nowMs(), isSweep), tally: createTally(clock.monotonicMs()) }
    },
    step() {
      if (running === null) return
      const { steps, tally } = running
      try {
        const { done, value } = steps.next()
        if (!done) return void tally.add(value)
        running = null
        const line = tally.line(clock.monotonicMs(), store.takeLongestMs())
        if (line) report(line)
      } catch (error) {
        running = null
        throw error
      }
    },
  }
}

type Tally = ReturnType<typeof createTally>

/** What a pass has removed so far. */
function createTally(startMs: number) {
  const removed: Record<string, number> = {}
  let bytes = 0
  return {
    add(step: Removed) {
      if (step.rows > 0) removed[step.table] = (removed[step.table] ?? 0) + step.rows
      bytes += step.bytes ?? 0
    },
    /** null: nothing was removed. */
    line(endMs: number, longestStepMs: number): RetainReport | null {
      if (Object.keys(removed).length === 0) return null
      return {
        kind: 'retained',
        removed,
        bytes,
        elapsedMs: Math.round(endMs - startMs),
        longestStepMs: Math.round(longestStepMs),
      }
    },
  }
}
