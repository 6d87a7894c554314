import type { Control } from '../../control/control-database.ts'
import { type Route, route } from '../../http/contract.ts'
import { rawJson } from '../../http/reply.ts'
import type { SeenPain } from '../../telemetry/questions.ts'
import { getPain, listPains, whyPain } from './pains.contract.ts'
import { createPainQueries, type KnownPain } from './pains.queries.ts'
import { createListPains, createReadIssues, createReadPain, type PainsDeps, type ReadIssues } from './pains.ts'

/** Clusters of failures: found in telemetry, remembered by their ids. */
export interface PainsCapability {
  routes: Route[]
  /** Keeps pains, so that their ids are found again. */
  rememberPains(projectNo: number, seen: readonly SeenPain[]): void
  findPain(projectNo: number, painId: string): KnownPain | null
  readIssues: ReadIssues
}

export function createPainsCapability(deps: PainsDeps & { control: Control }): PainsCapability {
  const store = createPainQueries(deps.control)
  const readIssues = createReadIssues(deps, store)
  const list = createListPains(deps, readIssues)
  const { show, why } = createReadPain(deps, store)
  return {
    rememberPains: store.remember,
    findPain: store.find,
    readIssues,
    routes: [
      route(listPains, ({ caller, query }) => list(caller, query)),
      route(getPain, async ({ caller, params, query }) =>
        rawJson(JSON.stringify(await show(caller, params.id, query.since_minutes))),
      ),
      route(whyPain, ({ caller, params, query }) => why(caller, params.id, query.since_minutes)),
    ],
  }
}
