import type { Control, ControlQueries } from '../../control/control-database.ts'
import type { ProjectRow } from '../../control/projects.ts'
import { formatProjectId } from '../../domain/project-id.ts'

export interface NewProject {
  projectName: string | null
  operator: string
  sandbox: boolean
  quotaSpans: number | null
  expiresAtMs: number | null
  nowMs: number
}

/** Reads and writes of provisioning. All of them run inside the caller's transaction. */
export interface ProvisioningQueries {
  findPermanent(queries: ControlQueries, operator: string, projectName: string): ProjectRow | undefined
  countProjects(queries: ControlQueries): number
  hasAnyProject(queries: ControlQueries): boolean
  /** A project without a name is named after its id. */
  insertProject(queries: ControlQueries, project: NewProject): ProjectRow
  /** Projects that have no key row at all, oldest first; bounded. */
  projectsWithoutKeys(queries: ControlQueries): ProjectRow[]
  isKeyKnown(queries: ControlQueries, keyHash: Uint8Array): boolean
}

/** Where self-serve projects live. */
const TENANT = 'sandbox'
/** Bytes of a project id's tail. */
const TAIL_BYTES = 4
/** Tails tried before giving up: two projects of one slug share a tail once in 2^32. */
const TRIES_MAX = 8
/** Projects without keys that an old key is tried against. */
const KEYLESS_MAX = 10_000

export function createProvisioningQueries({ db }: Control, randomBytes: (size: number) => Uint8Array): ProvisioningQueries {
  const freeId = (queries: ControlQueries, name: string): string => {
    for (let tries = 0; tries < TRIES_MAX; tries += 1) {
      const projectId = formatProjectId(name, randomBytes(TAIL_BYTES))
      if (!queries.first(db.selectFrom('project').select('project_no').where('project_id', '=', projectId))) return projectId
    }
    throw new Error('no free project id was found')
  }
  return {
    findPermanent: (queries, operator, projectName) =>
      queries.first(
        db
          .selectFrom('project')
          .selectAll()
          .where('operator', '=', operator)
          .where('project_name', '=', projectName)
          .where('sandbox', '=', 0)
          .where('deleted_at_ms', 'is', null),
      ),
    countProjects: (queries) =>
      queries.first(
        db
          .selectFrom('project')
          .select((select) => select.fn.countAll<number>().as('projects'))
          .where('deleted_at_ms', 'is', null),
      )?.projects ?? 0,
    hasAnyProject: (queries) => queries.first(db.selectFrom('project').select('project_no').limit(1)) !== undefined,
    insertProject: (queries, { projectName, operator, sandbox, quotaSpans, expiresAtMs, nowMs }) => {
      const projectId = freeId(queries, projectName ?? TENANT)
      const insert = db.insertInto('project').values({
        project_id: projectId,
        tenant_id: TENANT,
        project_name: projectName ?? projectId,
        operator,
        sandbox: sandbox ? 1 : 0,
        quota_spans: quotaSpans,
        expires_at_ms: expiresAtMs,
        retention_days: null,
        created_at_ms: nowMs,
        deleted_at_ms: null,
      })
      return queries.first(insert.returningAll()) as ProjectRow
    },
    projectsWithoutKeys: (queries) =>
      queries.all(
        db
          .selectFrom('project')
          .selectAll()
          .where('deleted_at_ms', 'is', null)
          .where(({ not, exists, selectFrom }) =>
            not(exists(selectFrom('api_key').select('key_id').whereRef('api_key.project_no', '=', 'project.project_no'))),
          )
          .orderBy('project_no')
          .limit(KEYLESS_MAX),
      ),
    isKeyKnown: (queries, keyHash) =>
      queries.first(db.selectFrom('api_key').select('key_id').where('key_hash', '=', keyHash)) !== undefined,
  }
}
