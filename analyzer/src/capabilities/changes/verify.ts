import { msToIso } from '@loopkit/shared/span/nanoseconds'
import { windowOfLast } from '../../domain/window.ts'
import { fail } from '../../http/errors.ts'
import type { ExposureAnswer, Side } from '../../telemetry/answer-exposure.ts'
import { changeNotFound, nothingToVerify, painNotFound } from './changes.contract.ts'
import type { Change } from './changes.queries.ts'
import type { ChangeStores, ChangesDeps, Owner } from './changes.ts'
import { changePercent, type Judgement, judgeChange, VERDICT_TEST, type VerdictRule } from './verdict.rules.ts'

export interface VerifyDeps extends ChangesDeps {
  verifyRule: VerdictRule
  enterReleases(owner: Owner): Promise<void>
}

export interface VerifyRequest {
  change_id?: string
  pain_id?: string
  since_minutes: number
}

interface Subject {
  change: Change | null
  painId: string | null
  fingerprints: readonly string[] | null
  service: string | null
}

const MINUTE_MS = 60_000
const NO_SIDE = { failures: 0, runs: 0, fromMinute: null, toMinute: null }

/** A rule that moves failures would look like a fix. */
const REGROUPED: Judgement = {
  verdict: 'refused',
  reason: 'inconclusive',
  detail:
    'rules that group failures changed within the window: what was counted before and after is not the same; ask with a window since then',
  ratio: null,
  runsNeeded: null,
}

/** Judges a change by the traffic on both sides of it, and keeps what it says where that is new. */
export function createVerify(deps: VerifyDeps, stores: ChangeStores) {
  const { ask, nowMs, verifyRule, enterReleases } = deps
  return async (owner: Owner, request: VerifyRequest) => {
    await enterReleases(owner)
    const subject = findSubject(deps, stores, owner, request)
    const { change } = subject
    if (!change) return showUnjudged(subject, verifyRule)
    const now = nowMs()
    const key = { changeId: change.changeId, painId: subject.painId ?? '' }
    const exposure = await ask('exposure', {
      projectNo: owner.projectNo,
      window: windowOfLast(request.since_minutes, now),
      fingerprints: subject.fingerprints,
      service: subject.service,
      rules: deps.readPainView(owner.projectNo).rules,
      change: { service: change.service, version: change.version, shippedAtMs: change.shippedAtMs },
      heldAtMs: stores.verdicts.last(owner.projectNo, key, { only: 'held' })?.atMs ?? null,
    })
    const judgement = exposure.isRegrouped ? REGROUPED : judgeChange(exposure, verifyRule)
    const answer = show(subject, judgement, { exposure, change, rule: verifyRule })
    const last = stores.verdicts.last(owner.projectNo, key)
    if (last?.verdict !== answer.verdict || last.reason !== answer.reason) {
      const { verdict, reason } = answer
      stores.verdicts.add(owner.projectNo, { ...key, atMs: now, verdict, reason, body: JSON.stringify(answer) })
    }
    return answer
  }
}

/** A pain is judged by the change that names it, else by the last that shipped to its service or to none in particular. */
function findSubject(deps: ChangesDeps, { changes }: ChangeStores, owner: Owner, request: VerifyRequest): Subject {
  const { findPain, nowMs, readRootIds } = deps
  const { change_id: changeId, pain_id: askedPain } = request
  if (changeId === undefined && askedPain === undefined) fail(nothingToVerify, 'name a change_id or a pain_id')
  const named =
    changeId === undefined ? null : (changes.find(owner.projectNo, changeId) ?? fail(changeNotFound, 'no such change'))
  const painNamed = askedPain ?? named?.painIds[0] ?? null
  const pain = painNamed === null ? null : (findPain(owner.projectNo, painNamed) ?? fail(painNotFound, 'no such pain'))
  const painId = pain?.painId ?? null
  const rootId = readRootIds(owner.projectNo)
  const change =
    named ??
    changeOfPain(changes.newest(owner.projectNo), (change) => change.painIds.some((id) => rootId(id) === painId), {
      service: pain?.service ?? null,
      nowMs: nowMs(),
    })
  return {
    change,
    painId,
    fingerprints: pain?.fingerprints ?? null,
    service: pain?.service ?? change?.service ?? null,
  }
}

/** What is yet to ship is judged only where it is asked for by its id, or where it alone names the pain. */
function changeOfPain(
  newest: Change[],
  names: (change: Change) => boolean,
  { service, nowMs }: { service: string | null; nowMs: number },
): Change | null {
  const shipped = newest.filter(({ shippedAtMs }) => shippedAtMs <= nowMs)
  const touches = (change: Change) => change.service === null || change.service === service
  return shipped.find(names) ?? newest.find(names) ?? shipped.find(touches) ?? null
}

function show(
  { painId }: Subject,
  { verdict, reason, detail, ratio, runsNeeded }: Judgement,
  { exposure, change, rule }: { exposure: ExposureAnswer; change: Change; rule: VerdictRule },
) {
  const { before, after, versions } = exposure
  return {
    verdict,
    reason,
    detail,
    runs_needed: runsNeeded,
    before: showSide(before),
    after: showSide(after),
    ratio: ratio ? { value: ratio.value, low: ratio.low, high: ratio.high } : { value: null, low: null, high: null },
    change_percent: changePercent(before, after),
    test: VERDICT_TEST,
    confidence: 1 - rule.alpha,
    versions,
    change_id: change.changeId as string | null,
    pain_id: painId,
  }
}

function showUnjudged({ painId }: Subject, rule: VerdictRule) {
  return {
    verdict: 'refused' as const,
    reason: 'no_data' as const,
    detail: 'no change is known that could be judged: announce one with POST /v1/changes',
    runs_needed: null,
    before: showSide(NO_SIDE),
    after: showSide(NO_SIDE),
    ratio: { value: null, low: null, high: null },
    change_percent: null,
    test: VERDICT_TEST,
    confidence: 1 - rule.alpha,
    versions: [],
    change_id: null,
    pain_id: painId,
  }
}

function showSide({ failures, runs, fromMinute, toMinute }: Pick<Side, 'failures' | 'runs' | 'fromMinute' | 'toMinute'>) {
  const window =
    fromMinute === null || toMinute === null
      ? null
      : { from: msToIso(fromMinute * MINUTE_MS), to: msToIso((toMinute + 1) * MINUTE_MS) }
  return { failures, runs, window }
}
