import { type Route, route } from '../../http/contract.ts'
import { recover } from './recovery.contract.ts'
import { createRecover, type RecoveryDeps } from './recovery.ts'

export { RecoverySecretError, readRecoverySecret } from './recovery-secret.ts'

/** How a project's owner gets new keys when the old ones are lost or leaked. */
export function createRecovery(deps: RecoveryDeps): { routes: Route[] } {
  const recoverProject = createRecover(deps)
  return { routes: [route(recover, ({ request, body }) => recoverProject(request, body))] }
}
