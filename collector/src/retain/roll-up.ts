import type { RetainedStore } from './retained-store.ts'
import { createCountRollUp } from './roll-up-counts.ts'
import { createFailureRollUp } from './roll-up-failures.ts'
import { createSketchRollUp } from './roll-up-sketches.ts'

/** What a diagnosis adds up, kept in rows of hours and days: see shared/src/database/telemetry/pain-rollups.ts. */
export function createRollUp(store: RetainedStore): { foldNext(): boolean } {
  const failures = createFailureRollUp(store)
  const counts = createCountRollUp(store)
  const sketches = createSketchRollUp(store)
  return { foldNext: () => sketches.rollNext() || failures.rollNext() || counts.rollNext() }
}
