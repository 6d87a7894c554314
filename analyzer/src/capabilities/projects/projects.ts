import type { Clock } from '@loopkit/shared/runtime/clock'
import type { AuditedChange, AuditNote } from '../../control/audited-change.ts'
import type { Control, ControlQueries } from '../../control/control-database.ts'
import { revokeKeys } from '../../control/keys.ts'
import { findProject, type ProjectRow, updateProject } from '../../control/projects.ts'
import { readCursor, writeCursor } from '../../http/cursor.ts'
import { doorErrors, fail } from '../../http/errors.ts'
import type { RequestFacts } from '../../http/request-facts.ts'
import { projectNotFound } from './projects.contract.ts'

export interface ProjectsDeps {
  control: Control
  change: AuditedChange
  clock: Clock
  recoveryCodeOf: (projectId: string, epoch: number) => string
}

/** The one list, across all projects. */
const LIST = { projectId: '', list: 'projects', query: null }

/** What may be set; a field that is absent stays as it is. */
export interface ProjectChange {
  quota_spans?: number | null | undefined
  expires_at?: string | null | undefined
  retention_days?: number | null | undefined
  tenant_id?: string | undefined
}

/** The admin's hand on projects. Every unknown or deleted id is a 404. */
export function createProjectAdmin({ control, change, clock, recoveryCodeOf }: ProjectsDeps) {
  const { db } = control
  const changeOne = <T>(request: RequestFacts, projectId: string, work: (queries: ControlQueries, project: ProjectRow) => T): T =>
    change(request, (transaction, note: AuditNote) => {
      const project = findProject(db, transaction, projectId)
      if (!project) fail(projectNotFound, 'no project has this id')
      note.projectNo = project.project_no
      return work(transaction, project)
    })
  return {
    list: ({ limit, cursor }: { limit: number; cursor?: string | undefined }) => {
      const after = cursor === undefined ? 0 : Number(readCursor(LIST, cursor))
      const page = db.selectFrom('project').selectAll().where('deleted_at_ms', 'is', null).where('project_no', '>', after)
      const rows = control.all(page.orderBy('project_no').limit(limit + 1))
      const items = rows.slice(0, limit)
      return {
        items: items.map(showProject),
        next_cursor: rows.length > limit ? writeCursor(LIST, items.at(-1)?.project_no) : null,
      }
    },
    change: (request: RequestFacts, projectId: string, wanted: ProjectChange) =>
      changeOne(request, projectId, (transaction, project) => {
        const columns = columnsOf(wanted)
        updateProject(db, transaction, project.project_no, columns)
        return showProject({ ...project, ...columns })
      }),
    remove: (request: RequestFacts, projectId: string) =>
      changeOne(request, projectId, (transaction, { project_no }) => {
        const nowMs = clock.nowMs()
        revokeKeys(db, transaction, project_no, nowMs)
        updateProject(db, transaction, project_no, { deleted_at_ms: nowMs })
        return { status: 'deleted' as const, project_id: projectId }
      }),
    bumpRecoveryEpoch: (request: RequestFacts, projectId: string) =>
      changeOne(request, projectId, (transaction, { project_no, recovery_epoch }) => {
        const epoch = recovery_epoch + 1
        updateProject(db, transaction, project_no, { recovery_epoch: epoch })
        return { project_id: projectId, recovery_epoch: epoch, recovery_code: recoveryCodeOf(projectId, epoch) }
      }),
  }
}

function columnsOf({ quota_spans, expires_at, retention_days, tenant_id }: ProjectChange) {
  return {
    ...(quota_spans !== undefined && { quota_spans }),
    ...(expires_at !== undefined && { expires_at_ms: expires_at === null ? null : toMs(expires_at) }),
    ...(retention_days !== undefined && { retention_days }),
    ...(tenant_id !== undefined && { tenant_id }),
  }
}

/** A leap second passes as a date-time and is no time that JavaScript knows: never to be taken for "no end". */
function toMs(dateTime: string): number {
  const ms = Date.parse(dateTime)
  return Number.isFinite(ms) ? ms : fail(doorErrors.invalidBody, 'expires_at is not a time')
}

function showProject(project: ProjectRow) {
  return {
    project_id: project.project_id,
    tenant_id: project.tenant_id,
    project_name: project.project_name,
    operator: project.operator === '' ? null : project.operator,
    sandbox: project.sandbox === 1,
    quota_spans: project.quota_spans,
    expires_at: project.expires_at_ms === null ? null : new Date(project.expires_at_ms).toISOString(),
    retention_days: project.retention_days,
    recovery_epoch: project.recovery_epoch,
    created_at: new Date(project.created_at_ms).toISOString(),
  }
}
