import type { Clock } from '@loopkit/shared/runtime/clock'
import type { AuditedChange, AuditNote } from '../../control/audited-change.ts'
import type { Control, ControlQueries } from '../../control/control-database.ts'
import { issueKeys } from '../../control/keys.ts'
import { type ProjectRow, updateProject } from '../../control/projects.ts'
import { type Addresses, type SignupAnswer, signupAnswer, termsAnswer } from '../../domain/signup-answer.ts'
import { UNAUTHORIZED } from '../../http/auth.ts'
import { doorErrors, fail } from '../../http/errors.ts'
import { type Reply, reply } from '../../http/reply.ts'
import type { RequestFacts } from '../../http/request-facts.ts'
import { foreignProject, projectExists, projectLimitReached, selfServeOff } from './provisioning.contract.ts'
import type { NewProject, ProvisioningQueries } from './provisioning.queries.ts'
import { decideMint, decideProvision, normalizeName, type ProvisionVerdict, type SelfServe } from './provisioning.rules.ts'

export interface ProvisioningDeps {
  control: Control
  change: AuditedChange
  clock: Clock
  randomBytes: (size: number) => Uint8Array
  addresses: Addresses
  recoveryCodeOf: (projectId: string, epoch: number) => string
  terms: { selfServe: SelfServe; projectsMax: number; sandboxQuotaSpans: number; sandboxDays: number }
}

export interface Provisioning {
  provision(request: RequestFacts, wanted: { project_name: string; operator?: string | undefined }): Reply
  signup(request: RequestFacts, wanted: { project_name?: string | undefined }): SignupAnswer
  /**
   * Makes the first project of an instance, or returns null when there is one already. `announce` gets what is shown once,
   * before it is committed: keys that nobody was told would be of no use.
   */
  provisionFirst(request: RequestFacts, projectName: string, announce: (answer: SignupAnswer) => void): SignupAnswer | null
}

const DAY_MS = 86_400_000

export function createProvisioning(deps: ProvisioningDeps & { queries: ProvisioningQueries }): Provisioning {
  const { control, change, clock, queries, terms, addresses } = deps

  const mint = createMint(deps)

  return {
    provision: (request, { project_name, operator = '' }) => {
      const [projectName, operatorName] = [normalizeName(project_name), normalizeName(operator)]
      return change(request, (transaction, note) => {
        const existing = queries.findPermanent(transaction, operatorName, projectName)
        const verdict = decideProvision({
          caller: callerOf(request),
          projectName,
          existing: existing ? { projectNo: existing.project_no } : null,
          selfServe: terms.selfServe,
          loopback: request.loopback,
          projects: queries.countProjects(transaction),
          projectsMax: terms.projectsMax,
        })
        if (verdict.kind === 'refuse') return refuse(verdict)
        if (verdict.kind === 'mint') {
          const wanted = { projectName, operator: operatorName, sandbox: false, quotaSpans: null, expiresAtMs: null }
          return reply(201, { ...mint(transaction, note, wanted), resumed: false, graduated: true })
        }
        if (verdict.graduate) graduate(control, transaction, verdict.projectNo, operatorName)
        const project = transaction.first(
          control.db.selectFrom('project').selectAll().where('project_no', '=', verdict.projectNo),
        ) as ProjectRow
        return reply(200, { ...termsAnswer(termsOf(project), addresses), resumed: true, graduated: true })
      })
    },
    signup: (request, { project_name }) =>
      change(request, (transaction, note) => {
        const projects = queries.countProjects(transaction)
        const { selfServe, projectsMax, sandboxQuotaSpans, sandboxDays } = terms
        const closed = decideMint({ selfServe, loopback: request.loopback, projects, projectsMax })
        if (closed) refuse(closed)
        return mint(transaction, note, {
          projectName: project_name === undefined ? null : normalizeName(project_name),
          operator: '',
          sandbox: true,
          quotaSpans: sandboxQuotaSpans,
          expiresAtMs: clock.nowMs() + sandboxDays * DAY_MS,
        })
      }),
    provisionFirst: (request, projectName, announce) => {
      if (queries.hasAnyProject(control)) return null
      return change(request, (transaction, note) => {
        if (queries.hasAnyProject(transaction)) return null
        const wanted = { projectName, operator: '', sandbox: false, quotaSpans: null, expiresAtMs: null }
        const answer = mint(transaction, note, wanted)
        announce(answer)
        return answer
      })
    },
  }
}

type Mint = (transaction: ControlQueries, note: AuditNote, wanted: Omit<NewProject, 'nowMs'>) => SignupAnswer

/** Makes a project with its keys. Nothing of it exists until the transaction commits. */
function createMint({
  control,
  clock,
  queries,
  randomBytes,
  recoveryCodeOf,
  addresses,
}: ProvisioningDeps & { queries: ProvisioningQueries }): Mint {
  return (transaction, note, wanted) => {
    const nowMs = clock.nowMs()
    const project = queries.insertProject(transaction, { ...wanted, nowMs })
    const keys = issueKeys({ db: control.db, randomBytes }, transaction, project.project_no, nowMs)
    note.status = 201
    note.projectNo = project.project_no
    const recoveryCode = recoveryCodeOf(project.project_id, project.recovery_epoch)
    return signupAnswer(termsOf(project), { ...keys, recoveryCode }, addresses)
  }
}

/** A sandbox that its owner provisions by name has the terms of any provisioned project: no end, and no cap unless one is set. */
function graduate({ db }: Control, transaction: ControlQueries, projectNo: number, operator: string): void {
  updateProject(db, transaction, projectNo, { sandbox: 0, operator, quota_spans: null, expires_at_ms: null })
}

function callerOf({ caller }: RequestFacts) {
  if (!caller) return null
  const { projectNo, projectName, sandbox, kind } = caller
  return { projectNo, projectName, sandbox, mayWrite: kind !== 'dashboard' }
}

function termsOf({ project_id, quota_spans, expires_at_ms }: ProjectRow) {
  return { projectId: project_id, quotaSpans: quota_spans, expiresAtMs: expires_at_ms }
}

function refuse(verdict: ProvisionVerdict): never {
  if (verdict.kind !== 'refuse') throw new Error('not a refusal')
  switch (verdict.because) {
    case 'exists':
      return fail(projectExists, 'send one of its keys to resume it, or recover it with its recovery code', UNAUTHORIZED)
    case 'foreign':
      return fail(foreignProject, 'this key is not of the project of that name; without a key a new name makes a new project')
    case 'read_only':
      return fail(doorErrors.insufficientScope, 'the key of a dashboard link changes nothing')
    case 'self_serve_off':
      return fail(selfServeOff, 'LOOPKIT_SELF_SERVE of this instance says who may make projects')
    case 'full':
      return fail(projectLimitReached, 'LOOPKIT_SELF_SERVE_PROJECTS_MAX of this instance is reached')
  }
}
