import type { RetainedStore } from './retained-store.ts'
import { createCountRollUp } from './roll-up-counts.ts'
import { createFailureRollUp } from './roll-up-failures.ts'

/** What a diagnosis adds up, kept in rows of hours and days: see shared/src/database/telemetry/pain-rollups.ts. */
export function createRollUp(store: RetainedStore): { foldNext(): boolean } {
  const failures = createFailureRollUp(store)
  const counts = createCountRollUp(store)
  return { foldNext: () => failures.rollNext() || counts.rollNext() }
}
