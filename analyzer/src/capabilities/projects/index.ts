import { type Route, route } from '../../http/contract.ts'
import { bumpRecoveryEpoch, changeProject, deleteProject, listProjects } from './projects.contract.ts'
import { createProjectAdmin, type ProjectsDeps } from './projects.ts'

/** The admin routes over projects. */
export function createProjects(deps: ProjectsDeps): { routes: Route[] } {
  const admin = createProjectAdmin(deps)
  return {
    routes: [
      route(listProjects, ({ query }) => admin.list(query)),
      route(changeProject, ({ request, params, body }) => admin.change(request, params.id, body)),
      route(deleteProject, ({ request, params }) => admin.remove(request, params.id)),
      route(bumpRecoveryEpoch, ({ request, params }) => admin.bumpRecoveryEpoch(request, params.id)),
    ],
  }
}
