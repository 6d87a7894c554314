import type { Clock } from '@loopkit/shared/runtime/clock'
import type { Logger } from '@loopkit/shared/runtime/log'
import type { Control } from '../../control/control-database.ts'
import { createAuditQueries } from './audit.queries.ts'
import { type ChainVerdict, verifyChain } from './audit.rules.ts'
import { type Audit, createAuditWriter } from './audit.ts'

/** The audit: one row a change, in the change's own transaction, and one a refusal; each row carries the hash of the one before. */
export function createAudit(deps: { control: Control; clock: Clock; log: Logger }): Audit & { verify(): ChainVerdict } {
  const queries = createAuditQueries(deps.control)
  return { ...createAuditWriter({ ...deps, queries }), verify: () => verifyChain(queries.rows()) }
}
