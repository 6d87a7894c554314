import type { Selectable } from 'kysely'
import type { ControlDatabase, ControlQueries } from './control-database.ts'
import type { ProjectTable } from './tables.ts'

export type ProjectRow = Selectable<ProjectTable>

/** A project that was not deleted, by its public id. */
export function findProject(db: ControlDatabase, queries: ControlQueries, projectId: string): ProjectRow | undefined {
  return queries.first(
    db.selectFrom('project').selectAll().where('project_id', '=', projectId).where('deleted_at_ms', 'is', null),
  )
}

/** Changes columns of one project; its number and id stay for ever. */
export function updateProject(
  db: ControlDatabase,
  queries: ControlQueries,
  projectNo: number,
  columns: Partial<Omit<ProjectRow, 'project_no' | 'project_id'>>,
): void {
  queries.run(db.updateTable('project').set(columns).where('project_no', '=', projectNo))
}
