import { toHex } from '@loopkit/shared/otlp/ids'
import type { ProjectRules } from '@loopkit/shared/signals/fingerprint-rules'
import { msToIso } from '@loopkit/shared/span/nanoseconds'
import type { AuditedChange } from '../../control/audited-change.ts'
import { closesCircle, type PainView, resolveRoots } from '../../domain/pain-view.ts'
import { fail } from '../../http/errors.ts'
import type { Caller, RequestFacts } from '../../http/request-facts.ts'
import { mergeCycle, mergeIntoItself, mergesFull, muteEnded } from './grouping.contract.ts'
import type { GroupingQueries, Merge, Mute } from './grouping.queries.ts'
import { painNotFound } from './pains.contract.ts'
import type { KnownPain } from './pains.queries.ts'

export interface GroupingDeps {
  nowMs: () => number
  audited: AuditedChange
}

/** A pain that was asked for, with the one that speaks for it. */
export interface FoundPain {
  /** What it was merged into, however many steps away, or itself. */
  pain: KnownPain
  /** Its id where that is not the one that was asked for. */
  mergedInto: string | null
  /** Of `pain` and everything merged into it, in hex. */
  fingerprints: string[]
  members: Merge[]
  mute: Mute | null
}

export type Grouping = ReturnType<typeof createGrouping>

/** Merges of one project; more is a rule that nobody has made. They are read with every question. */
const MERGES_MAX = 2_000

/** Which pains are one, and which nobody wants to hear of. Everything here is a view that can be undone. */
export function createGrouping(
  deps: Pick<GroupingDeps, 'nowMs'> & { readRules(projectNo: number): ProjectRules },
  { merges, mutes }: GroupingQueries,
  findKnown: (projectNo: number, painId: string) => KnownPain | null,
) {
  const rootIds = (projectNo: number) => resolveRoots(new Map(merges(projectNo).map((merge) => [merge.painId, merge.intoPainId])))
  return {
    readView(projectNo: number): PainView {
      const rootOf = resolveRoots(new Map(merges(projectNo).map((merge) => [merge.fingerprint, merge.intoFingerprint])))
      const muted = mutes(projectNo, deps.nowMs()).map(({ fingerprint }) => fingerprint)
      return { rootOf: Object.fromEntries(rootOf), muted, rules: deps.readRules(projectNo) }
    },
    /** By the id of any pain the id that it is shown under. */
    readRootIds(projectNo: number): (painId: string) => string {
      const roots = rootIds(projectNo)
      return (painId) => roots.get(painId) ?? painId
    },
    readMutes: (projectNo: number): Map<string, Mute> =>
      new Map(mutes(projectNo, deps.nowMs()).map((mute) => [mute.painId, mute])),

    find(projectNo: number, painId: string): FoundPain | null {
      if (!findKnown(projectNo, painId)) return null
      const roots = rootIds(projectNo)
      const rootId = roots.get(painId) ?? painId
      const pain = findKnown(projectNo, rootId)!
      const members = merges(projectNo).filter((merge) => roots.get(merge.painId) === rootId)
      return {
        pain,
        mergedInto: rootId === painId ? null : rootId,
        fingerprints: [toHex(pain.fingerprint), ...members.map(({ fingerprint }) => fingerprint)],
        members,
        mute: mutes(projectNo, deps.nowMs()).find((mute) => mute.painId === rootId) ?? null,
      }
    },
  }
}

type Owner = Pick<Caller, 'projectNo' | 'keyId'>

export function createMergePain({ nowMs, audited }: GroupingDeps, grouping: Grouping, store: GroupingQueries) {
  const known = ({ projectNo }: Owner, painId: string) =>
    grouping.find(projectNo, painId) ?? fail(painNotFound, 'this project has no pain with this id')
  return (owner: Owner, painId: string, { into }: { into: string | null }, request: RequestFacts) => {
    const { projectNo, keyId } = owner
    known(owner, painId)
    if (into === null) audited(request, (queries) => store.removeMerge(queries, projectNo, painId))
    else {
      known(owner, into)
      if (into === painId) fail(mergeIntoItself, 'name another pain')
      const parents = new Map(store.merges(projectNo).map((merge) => [merge.painId, merge.intoPainId]))
      const isNew = !parents.has(painId)
      parents.delete(painId)
      if (closesCircle(parents, { child: painId, parent: into }))
        fail(mergeCycle, `${into} is merged into ${painId}: undo that first`)
      if (isNew && parents.size >= MERGES_MAX) fail(mergesFull, `a project may have ${MERGES_MAX} merges: undo some`)
      audited(request, (queries) => store.setMerge(queries, projectNo, { painId, intoPainId: into, mergedAtMs: nowMs(), keyId }))
    }
    const { mergedInto, members } = known(owner, painId)
    return { pain_id: painId, merged_into: mergedInto, members: members.map(showMember) }
  }
}

/** Both act on the pain that the id is shown under. */
export function createMutePain({ nowMs, audited }: GroupingDeps, grouping: Grouping, store: GroupingQueries) {
  const known = ({ projectNo }: Owner, painId: string) =>
    grouping.find(projectNo, painId) ?? fail(painNotFound, 'this project has no pain with this id')
  const show = (owner: Owner, painId: string) => {
    const { mergedInto, mute } = known(owner, painId)
    return { pain_id: painId, merged_into: mergedInto, muted: showMute(mute) }
  }
  return {
    mute(owner: Owner, painId: string, { reason, until = null }: MuteRequest, request: RequestFacts) {
      const { pain } = known(owner, painId)
      const mutedAtMs = nowMs()
      const untilMs = until === null ? null : Date.parse(until)
      // A leap second passes the schema and is no number.
      if (untilMs !== null && !(untilMs > mutedAtMs)) fail(muteEnded, `it is ${msToIso(mutedAtMs)} now`)
      const mute = { painId: pain.painId, reason, untilMs, mutedAtMs, keyId: owner.keyId }
      audited(request, (queries) => store.setMute(queries, owner.projectNo, mute))
      return show(owner, painId)
    },
    unmute(owner: Owner, painId: string, request: RequestFacts) {
      const { pain } = known(owner, painId)
      audited(request, (queries) => store.removeMute(queries, owner.projectNo, pain.painId))
      return show(owner, painId)
    },
  }
}

export interface MuteRequest {
  reason: string
  until?: string | null
}

export function showMember({ painId, title, fingerprint, intoPainId, mergedAtMs, keyId }: Merge) {
  return {
    pain_id: painId,
    title,
    fingerprint,
    merged_into: intoPainId,
    merged_at: msToIso(mergedAtMs),
    merged_by: keyId,
  }
}

export function showMute(mute: Mute | null) {
  if (mute === null) return null
  return {
    reason: mute.reason,
    until: mute.untilMs === null ? null : msToIso(mute.untilMs),
    muted_at: msToIso(mute.mutedAtMs),
    muted_by: mute.keyId,
  }
}
