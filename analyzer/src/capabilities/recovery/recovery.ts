import type { Clock } from '@loopkit/shared/runtime/clock'
import type { AuditedChange } from '../../control/audited-change.ts'
import type { Control } from '../../control/control-database.ts'
import { issueKeys, revokeKeys } from '../../control/keys.ts'
import { findProject } from '../../control/projects.ts'
import { isSameCode } from '../../domain/project-codes.ts'
import { type Addresses, type SignupAnswer, signupAnswer } from '../../domain/signup-answer.ts'
import { UNAUTHORIZED } from '../../http/auth.ts'
import { fail } from '../../http/errors.ts'
import type { RequestFacts } from '../../http/request-facts.ts'
import { recoveryRefused } from './recovery.contract.ts'

export interface RecoveryDeps {
  control: Control
  change: AuditedChange
  clock: Clock
  randomBytes: (size: number) => Uint8Array
  addresses: Addresses
  recoveryCodeOf: (projectId: string, epoch: number) => string
}

export type Recover = (request: RequestFacts, wanted: { project_id: string; recovery_code: string }) => SignupAnswer

/**
 * New keys for the right code; every old key ends in the same transaction. Of many at once the last one's keys remain.
 * A wrong code and an unknown project take the same steps and get the same answer: one look-up, one HMAC, one comparison.
 */
export function createRecover({ control, change, clock, randomBytes, addresses, recoveryCodeOf }: RecoveryDeps): Recover {
  return (request, { project_id, recovery_code }) =>
    change(request, (transaction, note) => {
      const project = findProject(control.db, transaction, project_id)
      const recoveryCode = recoveryCodeOf(project_id, project?.recovery_epoch ?? 0)
      const isRight = isSameCode(recovery_code, recoveryCode)
      if (!isRight || !project) fail(recoveryRefused, 'check the project id and the code', UNAUTHORIZED)
      const nowMs = clock.nowMs()
      revokeKeys(control.db, transaction, project.project_no, nowMs)
      const keys = issueKeys({ db: control.db, randomBytes }, transaction, project.project_no, nowMs)
      note.projectNo = project.project_no
      const terms = { projectId: project_id, quotaSpans: project.quota_spans, expiresAtMs: project.expires_at_ms }
      return signupAnswer(terms, { ...keys, recoveryCode }, addresses)
    })
}
