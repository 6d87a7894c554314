import type { Clock } from '@loopkit/shared/runtime/clock'
import type { AuditedChange } from '../../control/audited-change.ts'
import type { Control, ControlQueries } from '../../control/control-database.ts'
import { storeKey } from '../../control/keys.ts'
import { updateProject } from '../../control/projects.ts'
import { isSameCode, upgradeCode } from '../../domain/project-codes.ts'
import { type Authenticate, missingKey, sha256, UNAUTHORIZED } from '../../http/auth.ts'
import { doorErrors, fail } from '../../http/errors.ts'
import type { RequestFacts } from '../../http/request-facts.ts'
import { invalidUpgradeCode, upgradeDisabled } from './provisioning.contract.ts'
import type { ProvisioningQueries } from './provisioning.queries.ts'

export interface UpgradeDeps {
  control: Control
  change: AuditedChange
  clock: Clock
  randomBytes: (size: number) => Uint8Array
  authenticate: Authenticate
  queries: ProvisioningQueries
  /** HMAC key of upgrade codes; without one nothing is upgraded. */
  secret: string | null
}

export interface UpgradeRequest {
  code: string
  producer_key?: string | undefined
  agent_key?: string | undefined
}

export type UpgradeAnswer = {
  project_id: string
  graduated: boolean
  quota_spans: number | null
}

export type Upgrade = (request: RequestFacts, wanted: UpgradeRequest) => UpgradeAnswer

interface Owned {
  projectNo: number
  projectId: string
}

/** Makes a sandbox permanent: no end, the cap stays. Doing it again changes nothing and answers the same. */
export function createUpgrade(deps: UpgradeDeps): Upgrade {
  const { control, change, secret, queries } = deps
  return (request, wanted) => {
    if (secret === null || secret === '') fail(upgradeDisabled, 'SIGNUP_UPGRADE_SECRET is not set on this instance')
    // A project of older data may show its agent key in the body alone.
    const key = request.key ?? wanted.agent_key ?? null
    if (key === null) missingKey()
    const caller = findCaller(deps, request, key)
    return change(request, (transaction, note) => {
      const { projectNo, projectId } = caller ?? adoptKeys(deps, transaction, { ...wanted, secret, key })
      if (!isSameCode(wanted.code, upgradeCode(secret, projectId)))
        fail(invalidUpgradeCode, 'this code does not upgrade this project')
      note.projectNo = projectNo
      makePermanent(control, transaction, queries, projectNo)
      const { db } = control
      const project = transaction.first(db.selectFrom('project').select('quota_spans').where('project_no', '=', projectNo))
      return { project_id: projectId, graduated: true, quota_spans: project?.quota_spans ?? null }
    })
  }
}

/** The key's project, an ended one too; null where no row knows the key. */
function findCaller({ authenticate, queries, control }: UpgradeDeps, request: RequestFacts, key: string): Owned | null {
  if (!queries.isKeyKnown(control, sha256(key))) return null
  request.caller = authenticate(key)
  if (request.caller.kind !== 'agent') fail(doorErrors.insufficientScope, 'upgrading takes the agent key')
  return request.caller
}

/**
 * A project of older data, whose keys have no rows yet: the code names it, since nobody can make the code of a project
 * without the instance's secret. Both keys get their rows, so this happens once.
 */
function adoptKeys(
  { control, clock, randomBytes, queries }: UpgradeDeps,
  transaction: ControlQueries,
  { code, producer_key, agent_key, secret, key }: UpgradeRequest & { secret: string; key: string },
): Owned {
  const unknown = (): never => fail(doorErrors.invalidKey, 'this key is not known', UNAUTHORIZED)
  if (producer_key === undefined || agent_key === undefined || agent_key !== key || producer_key === agent_key) return unknown()
  if (queries.isKeyKnown(transaction, sha256(producer_key))) return unknown()
  const project = queries
    .projectsWithoutKeys(transaction)
    .find(({ project_id }) => isSameCode(code, upgradeCode(secret, project_id)))
  if (!project) return unknown()
  const issue = { db: control.db, randomBytes }
  const common = { projectNo: project.project_no, nowMs: clock.nowMs() }
  storeKey(issue, transaction, { ...common, kind: 'producer', key: producer_key })
  storeKey(issue, transaction, { ...common, kind: 'agent', key: agent_key })
  return { projectNo: project.project_no, projectId: project.project_id }
}

/** Names of permanent projects are unique: where this one's is taken, the project is named after its id. */
function makePermanent({ db }: Control, transaction: ControlQueries, queries: ProvisioningQueries, projectNo: number): void {
  const project = transaction.first(db.selectFrom('project').selectAll().where('project_no', '=', projectNo))
  if (!project || project.sandbox === 0) return
  const taken = queries.findPermanent(transaction, project.operator, project.project_name) !== undefined
  const name = taken ? { project_name: project.project_id } : {}
  updateProject(db, transaction, projectNo, { sandbox: 0, expires_at_ms: null, ...name })
}
