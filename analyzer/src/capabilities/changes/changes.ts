import { OWN_PROJECT_ID } from '@loopkit/shared/database/control/own-project'
import { msToIso } from '@loopkit/shared/span/nanoseconds'
import type { ChangeLedger } from '../../domain/change-ledger.ts'
import { opaqueId } from '../../domain/opaque-id.ts'
import { readCursor, writeCursor } from '../../http/cursor.ts'
import { fail } from '../../http/errors.ts'
import type { RequestFacts } from '../../http/request-facts.ts'
import type { SeenMarker } from '../../telemetry/answer-markers.ts'
import type { SeenRelease } from '../../telemetry/answer-releases.ts'
import type { AskTelemetry } from '../../telemetry/read-pool.ts'
import type { ChangeStores } from './change-stores.ts'
import { painNotFound } from './changes.contract.ts'
import type { Change } from './changes.queries.ts'
import type { ChangesDeps, Owner } from './changes-deps.ts'
import { type PainEvent, painStatuses } from './ledger.rules.ts'
import { type FrozenPlan, orNothing, type PlanSubject } from './plan.ts'
import { nextLookAfter } from './settle.rules.ts'
import { showPlan } from './show-verdict.ts'

/** Enters what telemetry has newly seen, so that every reader of the ledger finds it there. */
export function createEnterReleases({ ask, nowMs }: Pick<ChangesDeps, 'ask' | 'nowMs'>, { seen }: ChangeStores) {
  return async ({ projectNo, projectId }: Owner): Promise<void> => {
    // What this instance itself is made of is no change of what it watches.
    if (projectId === OWN_PROJECT_ID) return
    const [releases, markers] = await Promise.all([ask('releases', { projectNo }), ask('markers', { projectNo })])
    seen.enterReleases(projectNo, releases, (release) => toChange(projectId, release, nowMs()))
    seen.enterMarkers(
      projectNo,
      markers.map((marker) => markedChange(projectId, marker, nowMs())),
    )
  }
}

/** Named by what was seen: nobody knows whether it was deployed. */
function markedChange(projectId: string, { kind, service, subject, value, firstEventMs }: SeenMarker, nowMs: number): Change {
  return {
    changeId: opaqueId('chg_', projectId, kind, service, subject, value),
    ...{ kind, service },
    version: null,
    ref: `${subject}: ${value}`,
    shippedAtMs: firstEventMs,
    createdAtMs: nowMs,
    source: 'telemetry',
    painIds: [],
  }
}

function toChange(projectId: string, { service, release, firstSeenMs }: SeenRelease, nowMs: number): Change {
  return {
    changeId: opaqueId('chg_', projectId, 'release', service, release),
    kind: 'release',
    service,
    version: release,
    ref: null,
    shippedAtMs: firstSeenMs,
    createdAtMs: nowMs,
    source: 'telemetry',
    painIds: [],
  }
}

/** Changes and states of pains, for a diagnosis. */
export function createReadLedger(
  { readRootIds, enterReleases }: Pick<ChangesDeps, 'readRootIds'> & { enterReleases(owner: Owner): Promise<void> },
  { changes, verdicts }: ChangeStores,
) {
  return async (owner: Owner): Promise<ChangeLedger> => {
    await enterReleases(owner)
    const rootId = readRootIds(owner.projectNo)
    const shipped = changes.newest(owner.projectNo)
    const events: PainEvent[] = [
      ...shipped.map(({ createdAtMs, painIds }) => ({
        kind: 'change' as const,
        atMs: createdAtMs,
        painIds: painIds.map(rootId),
      })),
      ...verdicts.conclusive(owner.projectNo).map(({ atMs, verdict, painId }) => ({
        kind: 'verdict' as const,
        atMs,
        verdict,
        // What traffic said of a pain that was merged away since is not said of the whole.
        painIds: painId === '' || rootId(painId) !== painId ? [] : [painId],
      })),
    ]
    return {
      changes: shipped.map(({ changeId, kind, service, version, ref, shippedAtMs }) => ({
        ...{ changeId, kind, service, version, ref, shippedAtMs },
      })),
      statusOf: painStatuses(events),
    }
  }
}

export interface ChangeRequest {
  kind: string
  pain_ids?: string[]
  service?: string
  version?: string
  ref?: string
  shipped_at?: string
}

export interface AnnounceDeps extends ChangesDeps {
  freeze(owner: Owner, change: Change, subjects: readonly PlanSubject[]): Promise<FrozenPlan[]>
}

/** The same announcement in the same millisecond is the same change. How each named pain will be judged is settled with it. */
export function createAnnounce({ ask, nowMs, audited, findPain, freeze }: AnnounceDeps, { changes, plans }: ChangeStores) {
  return async ({ projectNo, projectId }: Owner, body: ChangeRequest, request: RequestFacts) => {
    const painIds = [...new Set(body.pain_ids ?? [])].sort()
    const pains = painIds.map(
      (painId) => findPain(projectNo, painId) ?? fail(painNotFound, 'this project has no pain with one of these ids'),
    )
    const createdAtMs = nowMs()
    const change: Change = {
      changeId: opaqueId('chg_', projectId, JSON.stringify(body), String(createdAtMs)),
      kind: body.kind,
      service: body.service ?? null,
      version: body.version ?? null,
      ref: body.ref ?? null,
      shippedAtMs:
        body.shipped_at === undefined ? ((await seenSince(ask, projectNo, body)) ?? createdAtMs) : Date.parse(body.shipped_at),
      createdAtMs,
      source: 'announced',
      painIds,
    }
    const subjects = [...new Map(pains.map((pain) => [pain.painId, pain])).values()]
    const frozen = await freeze({ projectNo, projectId }, change, subjects)
    audited(request, (queries) => {
      changes.insert(queries, projectNo, change)
      for (const plan of frozen) {
        const nextLookMs = nextLookAfter(nowMs(), { shippedAtMs: change.shippedAtMs, frozenAtMs: plan.frozenAtMs })
        plans.insert(queries, { projectNo, changeId: change.changeId }, plan, nextLookMs)
      }
    })
    return { ...showChange(change), plans: frozen.map(showPlan) }
  }
}

/** A version that is announced after it began to run has shipped then, unless a newer one ran since: what comes back ships now. */
async function seenSince(ask: AskTelemetry, projectNo: number, { service, version }: ChangeRequest): Promise<number | null> {
  if (version === undefined) return null
  const releases = await ask('releases', { projectNo }).catch(orNothing)
  const newest = new Map<string, SeenRelease>()
  // The newest come first.
  for (const release of releases ?? []) if (!newest.has(release.service)) newest.set(release.service, release)
  const seen = [...newest.values()].find((one) => one.release === version && (service === undefined || one.service === service))
  return seen?.firstSeenMs ?? null
}

export function createList(enterReleases: (owner: Owner) => Promise<void>, { changes }: ChangeStores) {
  return async (owner: Owner, { limit, cursor }: { limit: number; cursor?: string }) => {
    await enterReleases(owner)
    const scope = { projectId: owner.projectId, list: 'changes', query: null }
    const after = cursor === undefined ? null : (readCursor(scope, cursor) as { shippedAtMs: number; changeId: string })
    const found = changes.page(owner.projectNo, { limit: limit + 1, after })
    const page = found.slice(0, limit)
    const last = page.at(-1)
    const more = found.length > limit && last
    return {
      items: page.map(showChange),
      next_cursor: more ? writeCursor(scope, { shippedAtMs: last.shippedAtMs, changeId: last.changeId }) : null,
    }
  }
}

function showChange({ changeId, kind, service, version, ref, shippedAtMs, createdAtMs, source, painIds }: Change) {
  return {
    change_id: changeId,
    kind,
    service,
    version,
    ref,
    shipped_at: msToIso(shippedAtMs),
    source,
    pain_ids: painIds,
    created_at: msToIso(createdAtMs),
  }
}
