import { randomUUID } from 'node:crypto'
import type { SignalType } from '@loopkit/shared/signals/signal-type'
import { msToIso } from '@loopkit/shared/span/nanoseconds'
import type { AuditedChange } from '../../control/audited-change.ts'
import type { ChangeLedger } from '../../domain/change-ledger.ts'
import { opaqueId } from '../../domain/opaque-id.ts'
import type { PainView } from '../../domain/pain-view.ts'
import { windowOfLast } from '../../domain/window.ts'
import { fail } from '../../http/errors.ts'
import type { Caller, RequestFacts } from '../../http/request-facts.ts'
import type { ObservedPain } from '../../telemetry/pains/observed-pain.ts'
import type { SeenPain } from '../../telemetry/questions.ts'
import type { AskTelemetry } from '../../telemetry/read-pool.ts'
import { type PainEvent, type Remembered, rememberPains } from './memory.rules.ts'
import { observationClosed, observationNotFound, painNotObserved } from './observe.contract.ts'
import type { createObserveQueries, PainDecision } from './observe.queries.ts'
import { joinWaiting, mergeWaiting, toWaiting, type WaitingPain } from './waiting-pain.ts'

type Owner = Pick<Caller, 'projectNo' | 'projectId'>

export interface ObserveDeps {
  ask: AskTelemetry
  nowMs: () => number
  audited: AuditedChange
  rules: { off: readonly SignalType[] }
  readLedger(owner: Owner): Promise<ChangeLedger>
  /** What happened to pains by changes and verdicts. */
  readPainEvents(owner: Owner): PainEvent[]
  rememberPains(projectNo: number, seen: readonly SeenPain[]): void
  findTitle(projectNo: number, painId: string): string | null
  readPainView(projectNo: number): PainView
  /** By the id of any pain the id that it is shown under. */
  readRootIds(projectNo: number): (painId: string) => string
  /** Pains that nobody wants to hear of now. */
  readMutedIds(projectNo: number): ReadonlySet<string>
}

type Store = ReturnType<typeof createObserveQueries>

/** Pains listed in one answer; more wait for the next observation. */
const LISTED_MAX = 200

/**
 * The agent's cursor. A project has one open observation at most: whoever asks again before it is decided gets the same one, with
 * what was decided since added to it, so an agent that fell over resumes without loss, and one that found nothing at first need not
 * close an empty observation to hear of anything.
 */
export function createObserve(deps: ObserveDeps, store: Store) {
  const { ask, nowMs, audited } = deps
  return async (owner: Owner, { peek }: { peek: boolean }, request: RequestFacts) => {
    const { projectNo, projectId } = owner
    const ledger = await deps.readLedger(owner)
    const before = store.last(projectNo)
    const answer = await ask('observed', {
      projectNo,
      projectId,
      afterDecision: before?.toDecision ?? 0,
      view: deps.readPainView(projectNo),
      window: windowOfLast(OUTLIER_MINUTES, nowMs()),
      off: deps.rules.off,
    })
    deps.rememberPains(
      projectNo,
      [...answer.pains, ...answer.outliers].map(({ seen }) => seen),
    )
    const last = store.last(projectNo)
    // Somebody else claimed while this was read: what was read may be theirs, and what is not comes when it is asked again.
    const isOurs = last?.observationId === before?.observationId && last?.toDecision === before?.toDecision
    const outliers = undecidedOutliers(deps, store, projectNo, answer.outliers)
    const waited = (last?.pains ?? []).filter(({ painId }) => !outliers.some((one) => one.painId === painId))
    const pains = joinWaiting(waited, isOurs ? [...answer.pains.map(toWaiting), ...outliers] : [])
    const claimed = last?.toDecision ?? 0
    const toDecision = isOurs ? Math.max(answer.toDecision, claimed) : claimed
    const moreSince = answer.toDecision > toDecision
    if (last && last.closedAtMs === null && !peek) {
      const { observationId } = last
      const grows = isOurs && answer.pains.length + outliers.length > 0
      if (grows) audited(request, (queries) => store.grow(queries, { observationNo: last.observationNo, toDecision, pains }))
      return show(deps, store, owner, { id: observationId, pains, ledger, moreSince })
    }
    if (peek) return show(deps, store, owner, { id: null, pains, ledger, moreSince: false })
    const createdAtMs = nowMs()
    const observationId = opaqueId('obs_', projectId, randomUUID())
    audited(request, (queries) => store.add(queries, projectNo, { observationId, createdAtMs, toDecision, pains }))
    return show(deps, store, owner, { id: observationId, pains, ledger, moreSince })
  }
}

/** Days that slow and dear runs are looked for in. */
const OUTLIER_MINUTES = 7 * 1440

/** They wait as they stand until somebody decides about them, and again once more such runs came after that. */
function undecidedOutliers(deps: ObserveDeps, store: Store, projectNo: number, outliers: readonly ObservedPain[]): WaitingPain[] {
  if (outliers.length === 0) return []
  const rootId = deps.readRootIds(projectNo)
  const decidedMs = new Map<string, number>()
  for (const { painId, atMs } of store.decisions(projectNo))
    decidedMs.set(rootId(painId), Math.max(atMs, decidedMs.get(rootId(painId)) ?? 0))
  return outliers
    .map(toWaiting)
    .map((pain) => ({ ...pain, isFirst: !decidedMs.has(pain.painId) }))
    .filter(({ painId, lastSeenMs }) => (decidedMs.get(painId) ?? Number.NEGATIVE_INFINITY) < lastSeenMs)
}

interface Shown {
  id: string | null
  pains: readonly WaitingPain[]
  ledger: ChangeLedger
  moreSince: boolean
}

function show(deps: ObserveDeps, store: Store, owner: Owner, { id, pains: waiting, ledger, moreSince }: Shown) {
  const muted = deps.readMutedIds(owner.projectNo)
  const pains = mergeWaiting(waiting, deps.readRootIds(owner.projectNo)).filter(({ painId }) => !muted.has(painId))
  return {
    observation_id: id,
    memory: showMemory(deps, store, owner),
    new: pains.slice(0, LISTED_MAX).map((pain) => showPain(pain, ledger)),
    new_total: pains.length,
    more_since: moreSince,
  }
}

function showPain(pain: WaitingPain, { statusOf }: ChangeLedger) {
  return {
    pain_id: pain.painId,
    title: pain.title,
    severity: pain.severity,
    signal_type: pain.signal,
    service: pain.service,
    operation: pain.operation,
    count: pain.count,
    session_count: pain.sessionCount,
    evidence_ids: pain.evidenceIds,
    first_seen: msToIso(pain.firstSeenMs),
    last_seen: msToIso(pain.lastSeenMs),
    first_time: pain.isFirst,
    status: statusOf[pain.painId] ?? ('new' as const),
  }
}

function showMemory(deps: ObserveDeps, store: Store, owner: Owner) {
  const { readPainEvents, findTitle } = deps
  const { projectNo } = owner
  const lastDecidedMs = store.lastClosedMs(projectNo)
  const rootId = deps.readRootIds(projectNo)
  const toEvent = (decision: PainDecision & { atMs: number }): PainEvent => ({
    kind: 'decision',
    ...decision,
    painId: rootId(decision.painId),
  })
  const decisions = store.decisions(projectNo).map(toEvent)
  const { fixed, slipped, inFlight } = rememberPains([...readPainEvents(owner), ...decisions], lastDecidedMs)
  const common = ({ event, sinceLastDecision }: Remembered<PainEvent>) => ({
    pain_id: event.painId,
    title: findTitle(projectNo, event.painId),
    at: msToIso(event.atMs),
    since_last_decision: sinceLastDecision,
  })
  const judged = (one: (typeof fixed)[number]) => ({
    ...common(one),
    change_id: one.event.changeId,
    verdict: one.event.verdict,
    change_percent: one.event.changePercent,
  })
  return {
    last_decided_at: lastDecidedMs === null ? null : msToIso(lastDecidedMs),
    fixed: fixed.map(judged),
    slipped: slipped.map(judged),
    in_flight: inFlight.map((one) => ({
      ...common(one),
      change_id: one.event.kind === 'change' ? one.event.changeId : null,
      note: one.event.kind === 'decision' ? one.event.note : null,
    })),
  }
}

export interface DecideRequest {
  observation_id: string
  decisions: { pain_id: string; next: PainDecision['next']; note?: string }[]
}

/** Closes an observation once. A pain that is named twice takes the last word; pains that are merged are decided together. */
export function createDecide({ nowMs, audited, readRootIds, readMutedIds }: ObserveDeps, store: Store) {
  return ({ projectNo }: Owner, body: DecideRequest, request: RequestFacts) => {
    const observation =
      store.find(projectNo, body.observation_id) ?? fail(observationNotFound, 'this project has no observation with this id')
    if (observation.closedAtMs !== null) fail(observationClosed, 'observe again for what has come since')
    const rootId = readRootIds(projectNo)
    const observed = new Set(observation.pains.map(({ painId }) => rootId(painId)))
    const last = new Map(
      body.decisions.map(({ pain_id, next, note }) => [rootId(pain_id), { painId: rootId(pain_id), next, note: note ?? null }]),
    )
    const unknown = [...last.keys()].find((painId) => !observed.has(painId))
    if (unknown !== undefined) fail(painNotObserved, 'a decision names a pain that this observation does not hold')
    const decisions = [...last.values()]
    const waiting = observation.pains.filter(({ painId }) => !last.has(rootId(painId)))
    const muted = readMutedIds(projectNo)
    const atMs = nowMs()
    audited(request, (queries) => store.close(queries, projectNo, { observation, decisions, waiting, atMs }))
    return {
      observation_id: observation.observationId,
      decided_at: msToIso(atMs),
      decisions: decisions.map(({ painId, next, note }) => ({ pain_id: painId, next, note })),
      undecided: mergeWaiting(waiting, rootId).filter(({ painId }) => !muted.has(painId)).length,
    }
  }
}
