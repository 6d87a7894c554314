import type { Selectable } from 'kysely'
import type { Control, ControlQueries } from '../../control/control-database.ts'
import type { VerifyPlanTable } from '../../control/tables.ts'
import type { FrozenPlan } from './plan.ts'

/** A plan whose next look is due, with its owner. */
export interface DuePlan {
  projectNo: number
  projectId: string
  changeId: string
  painId: string
  plan: FrozenPlan
}

function toPlan(row: Selectable<VerifyPlanTable>): FrozenPlan {
  const body = JSON.parse(row.body) as Omit<FrozenPlan, 'painId' | 'planDigest' | 'frozenAtMs'>
  return { ...body, painId: row.pain_id, planDigest: row.plan_digest, frozenAtMs: row.frozen_at_ms }
}

/** Plans that changes are judged by. */
export function createPlanQueries({ db, all, first }: Control) {
  return {
    /** One that is there stays as it is. */
    insert: (
      queries: ControlQueries,
      owner: { projectNo: number; changeId: string },
      { painId, planDigest, frozenAtMs, ...body }: FrozenPlan,
      nextLookMs: number | null,
    ): void =>
      void queries.run(
        db
          .insertInto('verify_plan')
          .values({
            change_id: owner.changeId,
            pain_id: painId,
            project_no: owner.projectNo,
            frozen_at_ms: frozenAtMs,
            plan_digest: planDigest,
            body: JSON.stringify(body),
            next_look_ms: nextLookMs,
          })
          .onConflict((conflict) => conflict.doNothing()),
      ),

    find: (changeId: string, painId: string): FrozenPlan | null => {
      const row = first(db.selectFrom('verify_plan').selectAll().where('change_id', '=', changeId).where('pain_id', '=', painId))
      return row ? toPlan(row) : null
    },

    of: (changeId: string): FrozenPlan[] =>
      all(db.selectFrom('verify_plan').selectAll().where('change_id', '=', changeId).orderBy('pain_id')).map(toPlan),
  }
}

/** When they are looked at, and how long they are kept. */
export function createPlanSchedule({ db, all, run }: Control) {
  return {
    /** Those that have waited longest. */
    due: (nowMs: number, limit: number): DuePlan[] =>
      all(
        db
          .selectFrom('verify_plan')
          .innerJoin('project', 'project.project_no', 'verify_plan.project_no')
          .selectAll('verify_plan')
          .select('project.project_id')
          .where('project.deleted_at_ms', 'is', null)
          .where('next_look_ms', '<=', nowMs)
          .orderBy('next_look_ms')
          .limit(limit),
      ).map((row) => ({
        projectNo: row.project_no,
        projectId: row.project_id,
        changeId: row.change_id,
        painId: row.pain_id,
        plan: toPlan(row),
      })),

    removeBefore: (beforeMs: number, most: number): void => {
      const old = db
        .selectFrom('verify_plan')
        .select(['change_id', 'pain_id'])
        .where('frozen_at_ms', '<', beforeMs)
        .orderBy('frozen_at_ms')
        .limit(most)
      for (const { change_id, pain_id } of all(old))
        run(db.deleteFrom('verify_plan').where('change_id', '=', change_id).where('pain_id', '=', pain_id))
    },

    setNextLook: ({ changeId, painId }: { changeId: string; painId: string }, nextLookMs: number | null): void =>
      void run(
        db
          .updateTable('verify_plan')
          .set({ next_look_ms: nextLookMs })
          .where('change_id', '=', changeId)
          .where('pain_id', '=', painId),
      ),
  }
}
