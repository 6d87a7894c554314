import type { RetainedStore } from './retained-store.ts'
import { createCountRollUp } from './roll-up-counts.ts'
import { createFailureRollUp } from './roll-up-failures.ts'
import { createSketchRollUp } from './roll-up-sketches.ts'

/** What a diagnosis adds up, kept in rows of hours and days: see shared/src/database/telemetry/pain-rollups.ts. */
export function createRollUp(store: RetainedStore): { foldNext(): boolean } {
  const steps = [createSketchRollUp(store), createFailureRollUp(store), createCountRollUp(store)]
  let turn = 0
  return {
    // One after the other: what is done waits for the next round, whatever comes in meanwhile.
    foldNext() {
      for (; turn < steps.length; turn++) if (steps[turn]!.rollNext()) return true
      turn = 0
      return false
    },
  }
}
