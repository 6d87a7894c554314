import type { Control } from '../../control/control-database.ts'
import type { ChangeLedger } from '../../domain/change-ledger.ts'
import { type Route, route } from '../../http/contract.ts'
import { announceChange, listChanges, verifyChange } from './changes.contract.ts'
import { createChangeQueries } from './changes.queries.ts'
import { type ChangesDeps, createAnnounce, createEnterReleases, createList, createReadLedger, type Owner } from './changes.ts'
import type { VerdictRule } from './verdict.rules.ts'
import { createVerdictQueries, type StoredVerdict } from './verdicts.queries.ts'
import { createVerify } from './verify.ts'

export interface ChangesCapability {
  routes: Route[]
  readLedger(owner: Owner): Promise<ChangeLedger>
  /** Verdicts that said something, the newest first. */
  readVerdicts(projectNo: number): StoredVerdict[]
}

/** The ledger of what shipped, and what traffic says of it. */
export function createChangesCapability(deps: ChangesDeps & { control: Control; verifyRule: VerdictRule }): ChangesCapability {
  const stores = { changes: createChangeQueries(deps.control), verdicts: createVerdictQueries(deps.control) }
  const enterReleases = createEnterReleases(deps, stores)
  const announce = createAnnounce(deps, stores)
  const list = createList(enterReleases, stores)
  const verify = createVerify({ ...deps, enterReleases }, stores)
  return {
    readLedger: createReadLedger(enterReleases, stores),
    readVerdicts: stores.verdicts.conclusive,
    routes: [
      route(announceChange, ({ caller, body, request }) => announce(caller, body, request)),
      route(listChanges, ({ caller, query }) => list(caller, query)),
      route(verifyChange, ({ caller, body }) => verify(caller, body)),
    ],
  }
}
