import { contract, type Route, route } from '../../http/contract.ts'
import type { Caller } from '../../http/request-facts.ts'

export const latestReport = contract({
  operation: 'latestReport',
  summary: 'The dashboard as Markdown, in under 2,000 tokens',
  method: 'get',
  path: '/v1/reports/latest.md',
  auth: { scopes: ['reports:read'] },
  status: 200,
  produces: 'text/markdown; charset=utf-8',
  response: { type: 'string' },
  errors: [],
})

export interface ReportsDeps {
  readDashboard(owner: Pick<Caller, 'projectNo' | 'projectId'>): Promise<{ markdown: string }>
}

/** What an agent reads first. */
export function createReportsCapability({ readDashboard }: ReportsDeps): { routes: Route[] } {
  return { routes: [route(latestReport, async ({ caller }) => (await readDashboard(caller)).markdown)] }
}
