import type { ControlQueries } from '../../control/control-database.ts'
import type { createChangeQueries, createSeenChanges } from './changes.queries.ts'
import type { createPlanQueries } from './plans.queries.ts'
import type { createVerdictQueries } from './verdicts.queries.ts'

export interface ChangeStores {
  changes: ReturnType<typeof createChangeQueries>
  seen: ReturnType<typeof createSeenChanges>
  verdicts: ReturnType<typeof createVerdictQueries>
  plans: ReturnType<typeof createPlanQueries>
  /** Outside of an audited change. */
  queries: ControlQueries
}
