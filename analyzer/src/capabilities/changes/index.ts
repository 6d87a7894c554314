import type { Control } from '../../control/control-database.ts'
import type { ChangeLedger } from '../../domain/change-ledger.ts'
import { type Route, route } from '../../http/contract.ts'
import { announceChange, listChanges, verifyChange } from './changes.contract.ts'
import { createChangeQueries, createSeenChanges } from './changes.queries.ts'
import { createAnnounce, createEnterReleases, createList, createReadLedger } from './changes.ts'
import type { ChangesDeps, Owner } from './changes-deps.ts'
import { createFreeze } from './plan.ts'
import { createPlanQueries, createPlanSchedule } from './plans.queries.ts'
import { createSettle, type SettleDeps, type Settling } from './settle.ts'
import type { VerdictRule } from './verdict.rules.ts'
import { createVerdictQueries, type StoredVerdict } from './verdicts.queries.ts'
import { createJudge, createVerify } from './verify.ts'

export interface ChangesCapability {
  routes: Route[]
  /** Looks at changes whose verdict may have settled. */
  settling: Settling
  readLedger(owner: Owner): Promise<ChangeLedger>
  /** Verdicts that said something, the newest first. */
  readVerdicts(projectNo: number): StoredVerdict[]
  /** Per pain: changes that name it, and verdicts that said something. */
  readPainEvents(owner: Owner): PainHistoryEvent[]
}

export type PainHistoryEvent = { painId: string; atMs: number; changeId: string } & (
  | { kind: 'change' }
  | { kind: 'verdict'; verdict: string; changePercent: number | null }
)

/** The ledger of what shipped, and what traffic says of it. */
export function createChangesCapability(
  deps: ChangesDeps & Pick<SettleDeps, 'forgetPains'> & { control: Control; verifyRule: VerdictRule },
): ChangesCapability {
  const changes = createChangeQueries(deps.control)
  const stores = {
    changes,
    seen: createSeenChanges(deps.control, changes.insert),
    verdicts: createVerdictQueries(deps.control),
    plans: createPlanQueries(deps.control),
    queries: deps.control,
  }
  const enterReleases = createEnterReleases(deps, stores)
  const freeze = createFreeze(deps)
  const announce = createAnnounce({ ...deps, freeze }, stores)
  const list = createList(enterReleases, stores)
  const judge = createJudge(deps, stores)
  const verify = createVerify({ ...deps, enterReleases, freeze }, stores, judge)
  return {
    settling: createSettle(
      { nowMs: deps.nowMs, judge, schedule: createPlanSchedule(deps.control), forgetPains: deps.forgetPains },
      stores,
    ),
    readLedger: createReadLedger({ ...deps, enterReleases }, stores),
    readVerdicts: stores.verdicts.conclusive,
    readPainEvents: ({ projectNo }) => {
      const rootId = deps.readRootIds(projectNo)
      const named = stores.changes
        .newest(projectNo)
        .flatMap(({ changeId, createdAtMs, painIds }) =>
          painIds.map((painId) => ({ kind: 'change' as const, painId: rootId(painId), changeId, atMs: createdAtMs })),
        )
      // What traffic said of a pain that was merged away since is not said of the whole.
      const judged = stores.verdicts.conclusive(projectNo).filter(({ painId }) => painId !== '' && rootId(painId) === painId)
      return [...named, ...judged.map(toHistoryEvent)]
    },
    routes: [
      route(announceChange, ({ caller, body, request }) => announce(caller, body, request)),
      route(listChanges, ({ caller, query }) => list(caller, query)),
      route(verifyChange, ({ caller, body }) => verify(caller, body)),
    ],
  }
}

function toHistoryEvent({ painId, changeId, atMs, verdict, body }: StoredVerdict): PainHistoryEvent {
  const { change_percent: changePercent } = JSON.parse(body) as { change_percent: number | null }
  return { kind: 'verdict', painId, changeId, atMs, verdict, changePercent }
}
