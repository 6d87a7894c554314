import type { Selectable } from 'kysely'
import type { Control } from '../../control/control-database.ts'
import type { VerdictTable } from '../../control/tables.ts'

/** A verdict as it was said. `painId` is '' where a whole service was judged. */
export interface StoredVerdict {
  verdictNo: number
  changeId: string
  painId: string
  atMs: number
  verdict: string
  reason: string | null
  body: string
}

/** Verdicts that a diagnosis looks at, the newest. */
const VERDICTS_MAX = 5000

function toVerdict(row: Selectable<VerdictTable>): StoredVerdict {
  return {
    verdictNo: row.verdict_no,
    changeId: row.change_id,
    painId: row.pain_id,
    atMs: row.at_ms,
    verdict: row.verdict,
    reason: row.reason,
    body: row.body,
  }
}

/** What traffic said of changes. */
export function createVerdictQueries({ db, all, first, run }: Control) {
  return {
    add: (projectNo: number, verdict: Omit<StoredVerdict, 'verdictNo'>): void =>
      void run(
        db.insertInto('verdict').values({
          project_no: projectNo,
          change_id: verdict.changeId,
          pain_id: verdict.painId,
          at_ms: verdict.atMs,
          verdict: verdict.verdict,
          reason: verdict.reason,
          body: verdict.body,
        }),
      ),

    /** The latest of a change and a pain. */
    last: (projectNo: number, { changeId, painId }: { changeId: string; painId: string }): StoredVerdict | null => {
      const query = db
        .selectFrom('verdict')
        .selectAll()
        .where('project_no', '=', projectNo)
        .where('pain_id', '=', painId)
        .where('change_id', '=', changeId)
      const row = first(query.orderBy('at_ms', 'desc').orderBy('verdict_no', 'desc').limit(1))
      return row ? toVerdict(row) : null
    },

    removeBefore: (beforeMs: number, most: number): void => {
      const old = db.selectFrom('verdict').select('verdict_no').where('at_ms', '<', beforeMs).orderBy('at_ms').limit(most)
      run(db.deleteFrom('verdict').where('verdict_no', 'in', old))
    },

    /** Verdicts that said something, the newest first. */
    conclusive: (projectNo: number): StoredVerdict[] =>
      all(
        db
          .selectFrom('verdict')
          .selectAll()
          .where('project_no', '=', projectNo)
          .where('verdict', '<>', 'refused')
          .orderBy('at_ms', 'desc')
          .orderBy('verdict_no', 'desc')
          .limit(VERDICTS_MAX),
      ).map(toVerdict),
  }
}
