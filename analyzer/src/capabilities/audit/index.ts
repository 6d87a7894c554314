import type { Clock } from '@loopkit/shared/runtime/clock'
import type { Logger } from '@loopkit/shared/runtime/log'
import type { Control } from '../../control/control-database.ts'
import { createAuditQueries } from './audit.queries.ts'
import { type ChainVerdict, verifyChain } from './audit.rules.ts'
import { type Audit, createAuditWriter } from './audit.ts'

export interface AuditCapability extends Audit {
  /** Writes the refusals that were counted so far, then walks the whole chain. */
  verify(): ChainVerdict
}

/** The audit: one row a change, in the change's own transaction, and one a refusal; each row carries the hash of the one before. */
export function createAudit(deps: { control: Control; clock: Clock; log: Logger }): AuditCapability {
  const queries = createAuditQueries(deps.control)
  const writer = createAuditWriter({ ...deps, queries })
  const verify = () => {
    writer.flush()
    return verifyChain(queries.rows())
  }
  return { ...writer, verify }
}
