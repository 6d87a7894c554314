import { msToIso } from '@loopkit/shared/span/nanoseconds'
import { windowOfLast } from '../../domain/window.ts'
import { fail } from '../../http/errors.ts'
import type { ChangeStores } from './change-stores.ts'
import { changeNotFound, nothingToVerify, painNotFound } from './changes.contract.ts'
import type { Change } from './changes.queries.ts'
import type { ChangesDeps, Owner } from './changes-deps.ts'
import type { FrozenPlan, PlanSubject } from './plan.ts'
import { nextLookAfter } from './settle.rules.ts'
import { showUnjudged, showVerdict, type VerdictAnswer } from './show-verdict.ts'
import { type Judgement, judgeChange, type VerdictRule } from './verdict.rules.ts'
import { worstVerdict } from './worst-verdict.rules.ts'

export interface VerifyDeps extends ChangesDeps {
  verifyRule: VerdictRule
  enterReleases(owner: Owner): Promise<void>
  freeze(owner: Owner, change: Change, subjects: readonly PlanSubject[]): Promise<FrozenPlan[]>
}

export interface VerifyRequest {
  change_id?: string
  pain_id?: string
  since_minutes?: number
}

const MINUTE_MS = 60_000

/** A rule that moves failures would look like a fix. */
const REGROUPED: Judgement = {
  verdict: 'refused',
  reason: 'inconclusive',
  detail:
    'rules that group failures changed within the window: what was counted before and after is not the same; ask with a window since then',
  ratio: null,
  controlRatio: null,
  runsNeeded: null,
}

/** Judges a change by its frozen plan and the traffic on both sides of it, and keeps what is said where that is new. */
export function createJudge({ ask, nowMs, readPainView }: ChangesDeps, { verdicts }: ChangeStores) {
  return async (
    { projectNo, projectId }: Owner,
    { change, plan, sinceMinutes }: { change: Change; plan: FrozenPlan; sinceMinutes?: number },
  ): Promise<VerdictAnswer> => {
    const now = nowMs()
    const key = { changeId: change.changeId, painId: plan.painId }
    const { service, version, kind, shippedAtMs } = change
    const window = windowOfLast(sinceMinutes ?? 0, now)
    const exposure = await ask('exposure', {
      ...{ projectNo, projectId },
      window: sinceMinutes === undefined ? { ...window, fromMinute: plan.fromMinute } : window,
      ...{ fingerprints: plan.fingerprints, service: plan.service },
      rules: readPainView(projectNo).rules,
      change: { service, version, isRelease: kind === 'release', shippedAtMs },
    })
    const judgement = exposure.isRegrouped ? REGROUPED : judgeChange({ ...exposure, plan: plan.planned }, plan.rule)
    const answer = withPending(showVerdict(judgement, { exposure, change, plan }), exposure.settledMinute, now)
    const last = verdicts.last(projectNo, key)
    if (last?.verdict !== answer.verdict || last.reason !== answer.reason) {
      const { verdict, reason } = answer
      verdicts.add(projectNo, { ...key, atMs: now, verdict, reason, body: JSON.stringify(answer) })
    }
    return answer
  }
}

/** A refusal may be over in a moment: what has just arrived is read once its traces are decided. */
function withPending(answer: VerdictAnswer, settledMinute: number, nowMs: number): VerdictAnswer {
  const sinceMs = settledMinute * MINUTE_MS
  if (answer.verdict !== 'refused' || sinceMs > nowMs) return answer
  const pending = `what arrived from ${msToIso(sinceMs)} on is still being decided and not read yet`
  return { ...answer, detail: answer.detail === null ? pending : `${answer.detail}; ${pending}` }
}

/** What traffic says of a change now, whoever asks; of one that names several pains, of that which stands worst. */
export function createVerify(deps: VerifyDeps, stores: ChangeStores, judge: ReturnType<typeof createJudge>) {
  const verifyOne = async (owner: Owner, request: VerifyRequest): Promise<VerdictAnswer> => {
    const { candidates, subject } = findSubject(deps, stores, owner, request)
    let said: VerdictAnswer | null = null
    for (const change of candidates) {
      const found = { change, subject: { ...subject, service: subject.service ?? change.service } }
      const plan = findPlan(deps, stores, owner, found) ?? (await freezeNow(deps, stores, owner, found))
      const since = request.since_minutes !== undefined && { sinceMinutes: request.since_minutes }
      const answer = await judge(owner, { change, plan, ...since })
      if (!hadFallen(answer)) return answer
      said ??= answer
    }
    return said ?? showUnjudged(subject.painId)
  }
  return async (
    owner: Owner,
    request: VerifyRequest,
  ): Promise<VerdictAnswer & { pains?: Pick<VerdictAnswer, 'pain_id' | 'verdict' | 'reason'>[] }> => {
    await deps.enterReleases(owner)
    const [first, ...rest] = namedPains(deps, stores, owner, request)
    if (first === undefined || rest.length === 0) return verifyOne(owner, request)
    const said: [VerdictAnswer, ...VerdictAnswer[]] = [await verifyOne(owner, { ...request, pain_id: first })]
    for (const painId of rest) said.push(await verifyOne(owner, { ...request, pain_id: painId }))
    return { ...worstVerdict(said), pains: said.map(({ pain_id, verdict, reason }) => ({ pain_id, verdict, reason })) }
  }
}

/** What had fallen before a change was mended by one before it. */
function hadFallen({ verdict, before, control }: VerdictAnswer): boolean {
  if (verdict !== 'refused' || control?.kind !== 'latest_stretch') return false
  return control.failures / control.runs < before.failures / before.runs
}

/** Those that a change names and that are still known, where nobody asks for one of them; each shown pain once. */
function namedPains({ findPain }: ChangesDeps, { changes }: ChangeStores, owner: Owner, request: VerifyRequest): string[] {
  if (request.change_id === undefined || request.pain_id !== undefined) return []
  const named = changes.find(owner.projectNo, request.change_id)?.painIds ?? []
  const shown = new Map<string, string>()
  for (const painId of named) {
    const pain = findPain(owner.projectNo, painId)
    if (pain && !shown.has(pain.painId)) shown.set(pain.painId, painId)
  }
  return [...shown.values()]
}

interface Found {
  change: Change
  subject: PlanSubject & { askedId: string }
}

/** That of the pain itself, else of one that is shown under the same pain now. */
function findPlan(
  { readRootIds }: VerifyDeps,
  { plans }: ChangeStores,
  owner: Owner,
  { change, subject }: Found,
): FrozenPlan | null {
  const own = plans.find(change.changeId, subject.askedId)
  if (own || subject.painId === '') return own
  const rootId = readRootIds(owner.projectNo)
  const frozen = plans.of(change.changeId).filter(({ painId }) => painId !== '' && rootId(painId) === subject.painId)
  return frozen.find(({ painId }) => painId === subject.painId) ?? frozen[0] ?? null
}

/** A change that nobody tied to this pain gets its plan when it is first judged by it, and is looked at from then on. */
async function freezeNow(deps: VerifyDeps, stores: ChangeStores, owner: Owner, { change, subject }: Found): Promise<FrozenPlan> {
  const [plan] = (await deps.freeze(owner, change, [subject])) as [FrozenPlan]
  const nextLookMs = nextLookAfter(deps.nowMs(), { shippedAtMs: change.shippedAtMs, frozenAtMs: plan.frozenAtMs })
  stores.plans.insert(stores.queries, { projectNo: owner.projectNo, changeId: change.changeId }, plan, nextLookMs)
  return stores.plans.find(change.changeId, plan.painId) ?? plan
}

/**
 * A pain is judged by the change that names it, else by the last that shipped to its service or to none in particular and did not find it
 * mended already.
 */
function findSubject(deps: ChangesDeps, { changes }: ChangeStores, owner: Owner, request: VerifyRequest) {
  const { findPain, nowMs, readRootIds } = deps
  const { change_id: changeId, pain_id: askedPain } = request
  if (changeId === undefined && askedPain === undefined) fail(nothingToVerify, 'name a change_id or a pain_id')
  const named =
    changeId === undefined ? null : (changes.find(owner.projectNo, changeId) ?? fail(changeNotFound, 'no such change'))
  const painNamed = askedPain ?? named?.painIds[0] ?? null
  const pain = painNamed === null ? null : (findPain(owner.projectNo, painNamed) ?? fail(painNotFound, 'no such pain'))
  const rootId = readRootIds(owner.projectNo)
  const candidates = named
    ? [named]
    : changesOfPain(changes.newest(owner.projectNo), (one) => one.painIds.some((id) => rootId(id) === pain?.painId), {
        service: pain?.service ?? null,
        nowMs: nowMs(),
      })
  const subject = {
    /** As it was named, which may be one that is shown under another now. */
    askedId: painNamed ?? '',
    painId: pain?.painId ?? '',
    fingerprints: pain?.fingerprints ?? null,
    service: pain?.service ?? null,
  }
  return { candidates, subject }
}

/** Changes that nobody tied to a pain which are asked for it, one after the other. */
const CANDIDATES_MAX = 5

/** What is yet to ship is judged only where it is asked for by its id, or where it alone names the pain. */
function changesOfPain(
  newest: Change[],
  names: (change: Change) => boolean,
  { service, nowMs }: { service: string | null; nowMs: number },
): Change[] {
  const shipped = newest.filter(({ shippedAtMs }) => shippedAtMs <= nowMs)
  const touches = (change: Change) => change.service === null || change.service === service
  const named = shipped.find(names) ?? newest.find(names)
  return named ? [named] : shipped.filter(touches).slice(0, CANDIDATES_MAX)
}
