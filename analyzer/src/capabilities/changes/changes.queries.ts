import type { Insertable, Selectable } from 'kysely'
import type { Control, ControlQueries } from '../../control/control-database.ts'
import type { ChangeTable } from '../../control/tables.ts'
import type { SeenRelease } from '../../telemetry/answer-releases.ts'

export interface Change {
  changeId: string
  kind: string
  service: string | null
  version: string | null
  ref: string | null
  shippedAtMs: number
  createdAtMs: number
  source: 'announced' | 'telemetry'
  painIds: string[]
}

/** Changes that a diagnosis looks at, the newest. */
const LEDGER_MAX = 1000

function toChange(row: Selectable<ChangeTable>): Change {
  return {
    changeId: row.change_id,
    kind: row.kind,
    service: row.service,
    version: row.version,
    ref: row.ref,
    shippedAtMs: row.shipped_at_ms,
    createdAtMs: row.created_at_ms,
    source: row.source,
    painIds: JSON.parse(row.pain_ids) as string[],
  }
}

function toRow(projectNo: number, change: Change): Insertable<ChangeTable> {
  return {
    change_id: change.changeId,
    project_no: projectNo,
    kind: change.kind,
    service: change.service,
    version: change.version,
    ref: change.ref,
    shipped_at_ms: change.shippedAtMs,
    created_at_ms: change.createdAtMs,
    source: change.source,
    pain_ids: JSON.stringify(change.painIds),
  }
}

/** The ledger of what shipped. */
export function createChangeQueries({ db, all, first }: Control) {
  const insert = (queries: ControlQueries, projectNo: number, change: Change) =>
    queries.run(
      db
        .insertInto('change')
        .values(toRow(projectNo, change))
        .onConflict((conflict) => conflict.doNothing()),
    )
  /** Newest first; `after` is the last one of the page before. */
  const page = (
    projectNo: number,
    { limit, after }: { limit: number; after: { shippedAtMs: number; changeId: string } | null },
  ): Change[] => {
    let query = db.selectFrom('change').selectAll().where('project_no', '=', projectNo)
    if (after) {
      query = query.where((row) =>
        row.or([
          row('shipped_at_ms', '<', after.shippedAtMs),
          row.and([row('shipped_at_ms', '=', after.shippedAtMs), row('change_id', '>', after.changeId)]),
        ]),
      )
    }
    return all(query.orderBy('shipped_at_ms', 'desc').orderBy('change_id').limit(limit)).map(toChange)
  }

  return {
    insert,

    find: (projectNo: number, changeId: string): Change | null => {
      const row = first(db.selectFrom('change').selectAll().where('change_id', '=', changeId).where('project_no', '=', projectNo))
      return row ? toChange(row) : null
    },

    page,

    newest: (projectNo: number): Change[] => page(projectNo, { limit: LEDGER_MAX, after: null }),
  }
}

/** What telemetry has seen by itself. */
export function createSeenChanges({ db, all, transaction }: Control, insert: ReturnType<typeof createChangeQueries>['insert']) {
  return {
    /** Enters versions that telemetry has seen and nobody announced. Known ones cost one read. */
    enterReleases: (projectNo: number, releases: readonly SeenRelease[], toNew: (release: SeenRelease) => Change): void => {
      if (releases.length === 0) return
      const known = all(
        db
          .selectFrom('change')
          .select(['service', 'version'])
          .where('project_no', '=', projectNo)
          .where('version', 'is not', null),
      )
      const names = new Set(known.map(({ service, version }) => JSON.stringify([service, version])))
      const missing = releases.filter(({ service, release }) => !names.has(JSON.stringify([service, release])))
      if (missing.length === 0) return
      transaction((queries) => {
        for (const release of missing) insert(queries, projectNo, toNew(release))
      })
    },

    /** Enters what telemetry has seen of agents, and moves what turns out to have begun earlier. Known ones cost one read. */
    enterMarkers: (projectNo: number, marked: readonly Change[]): void => {
      if (marked.length === 0) return
      const ids = marked.map(({ changeId }) => changeId)
      const rows = all(
        db
          .selectFrom('change')
          .select(['change_id', 'shipped_at_ms'])
          .where('project_no', '=', projectNo)
          .where('change_id', 'in', ids),
      )
      const known = new Map(rows.map((row) => [row.change_id, row.shipped_at_ms]))
      const missing = marked.filter(({ changeId }) => !known.has(changeId))
      const earlier = marked.filter(({ changeId, shippedAtMs }) => shippedAtMs < (known.get(changeId) ?? 0))
      if (missing.length + earlier.length === 0) return
      transaction((queries) => {
        for (const change of missing) insert(queries, projectNo, change)
        for (const { changeId, shippedAtMs } of earlier) {
          const moved = db.updateTable('change').set({ shipped_at_ms: shippedAtMs })
          queries.run(moved.where('change_id', '=', changeId).where('project_no', '=', projectNo))
        }
      })
    },
  }
}
