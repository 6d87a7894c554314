import type { Selectable } from 'kysely'
import type { Control, ControlQueries } from '../../control/control-database.ts'
import type { ObservationTable } from '../../control/tables.ts'
import type { WaitingPain } from './waiting-pain.ts'

export interface Observation {
  observationNo: number
  observationId: string
  createdAtMs: number
  toDecision: number
  pains: WaitingPain[]
  closedAtMs: number | null
}

export interface PainDecision {
  painId: string
  next: 'patch' | 'observe' | 'skip'
  note: string | null
}

/** Observations kept per project; what was decided in older ones is part of no memory any more. */
const KEPT_MAX = 500
/** Decisions that a memory is made of, the newest. */
const DECISIONS_MAX = 5000

function toObservation(row: Selectable<ObservationTable>): Observation {
  return {
    observationNo: row.observation_no,
    observationId: row.observation_id,
    createdAtMs: row.created_at_ms,
    toDecision: row.to_decision,
    pains: JSON.parse(row.pains) as WaitingPain[],
    closedAtMs: row.closed_at_ms,
  }
}

/** The tables of observations and decisions; nothing else writes them. */
export function createObserveQueries(control: Control) {
  return { ...createReads(control), ...createWrites(control) }
}

function createReads({ db, all, first }: Control) {
  const ofProject = (projectNo: number) => db.selectFrom('observation').selectAll().where('project_no', '=', projectNo)
  return {
    /** The newest one, open or closed: an open one is always the newest. */
    last: (projectNo: number): Observation | null => {
      const row = first(ofProject(projectNo).orderBy('observation_no', 'desc').limit(1))
      return row ? toObservation(row) : null
    },

    find: (projectNo: number, observationId: string): Observation | null => {
      const row = first(ofProject(projectNo).where('observation_id', '=', observationId))
      return row ? toObservation(row) : null
    },

    /** The newest first. */
    decisions: (projectNo: number): (PainDecision & { atMs: number })[] =>
      all(
        db
          .selectFrom('pain_decision')
          .select(['pain_id as painId', 'next', 'note', 'at_ms as atMs'])
          .where('project_no', '=', projectNo)
          .orderBy('at_ms', 'desc')
          .limit(DECISIONS_MAX),
      ),

    lastClosedMs: (projectNo: number): number | null =>
      first(
        db
          .selectFrom('observation')
          .select((select) => select.fn.max('closed_at_ms').as('closedAtMs'))
          .where('project_no', '=', projectNo),
      )?.closedAtMs ?? null,
  }
}

function createWrites({ db }: Control) {
  return {
    add: ({ run }: ControlQueries, projectNo: number, observation: Omit<Observation, 'observationNo' | 'closedAtMs'>): void => {
      run(
        db.insertInto('observation').values({
          observation_id: observation.observationId,
          project_no: projectNo,
          created_at_ms: observation.createdAtMs,
          to_decision: observation.toDecision,
          pains: JSON.stringify(observation.pains),
          closed_at_ms: null,
        }),
      )
      const kept = db
        .selectFrom('observation')
        .select('observation_no')
        .where('project_no', '=', projectNo)
        .orderBy('observation_no', 'desc')
        .limit(KEPT_MAX)
      run(db.deleteFrom('observation').where('project_no', '=', projectNo).where('observation_no', 'not in', kept))
    },

    /** Adds to an open one what was decided since. */
    grow: ({ run }: ControlQueries, { observationNo, toDecision, pains }: GrownObservation): void => {
      run(
        db
          .updateTable('observation')
          .set({ to_decision: toDecision, pains: JSON.stringify(pains) })
          .where('observation_no', '=', observationNo),
      )
    },

    /** Closes it with what was decided, and keeps of its pains only those that wait on. */
    close: ({ run }: ControlQueries, projectNo: number, { observation, decisions, waiting, atMs }: ClosedObservation): void => {
      const { observationNo } = observation
      run(
        db
          .updateTable('observation')
          .set({ closed_at_ms: atMs, pains: JSON.stringify(waiting) })
          .where('observation_no', '=', observationNo),
      )
      for (const { painId, next, note } of decisions) {
        run(
          db
            .insertInto('pain_decision')
            .values({ observation_no: observationNo, pain_id: painId, project_no: projectNo, next, note, at_ms: atMs }),
        )
      }
    },
  }
}

export type GrownObservation = Pick<Observation, 'observationNo' | 'toDecision' | 'pains'>

export interface ClosedObservation {
  observation: Observation
  decisions: readonly PainDecision[]
  waiting: readonly WaitingPain[]
  atMs: number
}
