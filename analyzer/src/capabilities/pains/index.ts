import { readProjectRules } from '@loopkit/shared/database/control/read-project-rules'
import type { Control } from '../../control/control-database.ts'
import { type Route, route } from '../../http/contract.ts'
import { rawJson } from '../../http/reply.ts'
import type { SeenPain } from '../../telemetry/questions.ts'
import { mergePain, mutePain, unmutePain } from './grouping.contract.ts'
import { createGroupingQueries, type GroupingQueries } from './grouping.queries.ts'
import { createGrouping, createMergePain, createMutePain, type Grouping, type GroupingDeps } from './grouping.ts'
import { getPain, listPains, whyPain } from './pains.contract.ts'
import { createForgetPains, createPainQueries } from './pains.queries.ts'
import { createListPains, createReadIssues, createReadPain, type PainsDeps, type ReadIssues } from './pains.ts'

/** A pain as the rest of the analyzer speaks of it: the one that an id is shown under, with all that was merged into it. */
export interface SpokenPain {
  painId: string
  title: string
  signal: string
  service: string
  /** Hex. */
  fingerprints: string[]
}

/** Clusters of failures: found in telemetry, remembered by their ids. */
export interface PainsCapability {
  routes: Route[]
  /** Keeps pains, so that their ids are found again. */
  rememberPains(projectNo: number, seen: readonly SeenPain[]): void
  /** Forgets some that were not seen since. */
  forgetPains(beforeMs: number, most: number): void
  findPain(projectNo: number, painId: string): SpokenPain | null
  readIssues: ReadIssues
  /** Which pains are merged, and which are muted now. */
  readPainView: Grouping['readView']
  readRootIds: Grouping['readRootIds']
  readMutedIds(projectNo: number): ReadonlySet<string>
  merge: GroupingQueries['setMerge']
  unmerge: GroupingQueries['removeMergeInto']
}

export function createPainsCapability(deps: PainsDeps & GroupingDeps & { control: Control }): PainsCapability {
  const store = createPainQueries(deps.control)
  const groupings = createGroupingQueries(deps.control)
  const grouping = createGrouping(
    { ...deps, readRules: (projectNo) => readProjectRules(deps.control.sqlite, projectNo) },
    groupings,
    store.find,
  )
  const readIssues = createReadIssues(deps, store.remember, grouping)
  const list = createListPains(deps, readIssues, grouping)
  const { show, why } = createReadPain(deps, grouping)
  const mergeInto = createMergePain(deps, grouping, groupings)
  const { mute, unmute } = createMutePain(deps, grouping, groupings)
  return {
    rememberPains: store.remember,
    forgetPains: createForgetPains(deps.control),
    findPain: (projectNo, painId) => {
      const found = grouping.find(projectNo, painId)
      if (!found) return null
      const { pain, fingerprints } = found
      return { painId: pain.painId, title: pain.title, signal: pain.signal, service: pain.service, fingerprints }
    },
    readIssues,
    readPainView: grouping.readView,
    readRootIds: grouping.readRootIds,
    merge: groupings.setMerge,
    unmerge: groupings.removeMergeInto,
    readMutedIds: (projectNo) => new Set(grouping.readMutes(projectNo).keys()),
    routes: [
      route(listPains, ({ caller, query }) => list(caller, query)),
      route(getPain, async ({ caller, params, query }) =>
        rawJson(JSON.stringify(await show(caller, params.id, query.since_minutes))),
      ),
      route(whyPain, ({ caller, params, query }) => why(caller, params.id, query.since_minutes)),
      route(mergePain, ({ caller, params, body, request }) => mergeInto(caller, params.id, body, request)),
      route(mutePain, ({ caller, params, body, request }) => mute(caller, params.id, body, request)),
      route(unmutePain, ({ caller, params, request }) => unmute(caller, params.id, request)),
    ],
  }
}
