import { type Route, route } from '../../http/contract.ts'
import { reply } from '../../http/reply.ts'
import { renderContent } from '../../web/dashboard-content.ts'
import { pageAssets } from '../../web/page-assets.ts'
import { renderShell } from '../../web/page-shell.ts'
import { dashboardContent, dashboardPage, dashboardScript, dashboardStyle, getDashboard, home } from './dashboard.contract.ts'
import { createReadDashboard, type DashboardDeps, type ReadDashboard } from './dashboard.ts'

export interface DashboardCapability {
  routes: Route[]
  readDashboard: ReadDashboard
}

/** The dashboard: JSON for agents, a page for people. */
export function createDashboardCapability(deps: DashboardDeps): DashboardCapability {
  const readDashboard = createReadDashboard(deps)
  const { script, style } = pageAssets()
  const shell = renderShell()
  return {
    readDashboard,
    routes: [
      route(getDashboard, async ({ caller }) => (await readDashboard(caller)).dashboard),
      // Relative: the address that a proxy gives this service is not known here.
      route(home, () => reply(302, 'For people: /dashboard. For agents: /llms.txt.\n', { location: 'dashboard' })),
      route(dashboardPage, () => shell),
      route(dashboardContent, async ({ caller }) => {
        const { dashboard, issues } = await readDashboard(caller)
        return renderContent(dashboard, issues)
      }),
      route(dashboardScript, () => script),
      route(dashboardStyle, () => style),
    ],
  }
}
