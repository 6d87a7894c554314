import type { Authenticate } from '../../http/auth.ts'
import { type Route, route } from '../../http/contract.ts'
import { provision, signup, upgrade } from './provisioning.contract.ts'
import { createProvisioningQueries } from './provisioning.queries.ts'
import { createProvisioning, type Provisioning, type ProvisioningDeps } from './provisioning.ts'
import { createUpgrade } from './upgrade.ts'

export interface ProvisioningCapabilityDeps extends ProvisioningDeps {
  authenticate: Authenticate
  upgradeSecret: string | null
}

/** How projects and their keys come to be: provision, signup, upgrade, and the first start. */
export function createProvisioningCapability(
  deps: ProvisioningCapabilityDeps,
): { routes: Route[] } & Pick<Provisioning, 'provisionFirst'> {
  const queries = createProvisioningQueries(deps.control, deps.randomBytes)
  const provisioning = createProvisioning({ ...deps, queries })
  const upgradeProject = createUpgrade({ ...deps, queries, secret: deps.upgradeSecret })
  return {
    provisionFirst: provisioning.provisionFirst,
    routes: [
      route(provision, ({ request, body }) => provisioning.provision(request, body)),
      route(signup, ({ request, body }) => provisioning.signup(request, body)),
      route(upgrade, ({ request, body }) => upgradeProject(request, body)),
    ],
  }
}
