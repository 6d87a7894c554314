import type { SqliteDatabase } from '@loopkit/shared/database/open'
import type { Dictionary } from '../write/dictionary.ts'
import type { WriteTurn } from '../write/write-turn.ts'
import type { TraceDecision } from './describe-decision.ts'
import { createDecisionWriter } from './write-decision.ts'

/** Writes decisions in one transaction and answers the stored hashes of the traces that are decided now. */
export type WriteDecisions = (decisions: readonly TraceDecision[], nowMs: number) => bigint[]

export function createDecisionTransaction(
  db: SqliteDatabase,
  dictionary: Dictionary,
  turn: WriteTurn,
  fingerprintsMax?: number,
): WriteDecisions {
  const writer = createDecisionWriter(db, dictionary, fingerprintsMax)
  return (decisions, nowMs) =>
    turn(() => {
      db.exec('begin immediate')
      try {
        dictionary.refresh()
        const decided = writer.apply(decisions, nowMs)
        db.exec('commit')
        return decided
      } catch (error) {
        dictionary.forget()
        writer.forget()
        if (db.inTransaction) db.exec('rollback')
        throw error
      }
    })
}
