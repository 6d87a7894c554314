import { toHex } from '@loopkit/shared/otlp/ids'
import type { SignalType } from '@loopkit/shared/signals/signal-type'
import { msToIso } from '@loopkit/shared/span/nanoseconds'
import type { ChangeLedger } from '../../domain/change-ledger.ts'
import type { Issue } from '../../domain/packet/model.ts'
import { type MinuteWindow, windowOfLast } from '../../domain/window.ts'
import { readCursor, writeCursor } from '../../http/cursor.ts'
import { fail } from '../../http/errors.ts'
import type { Caller } from '../../http/request-facts.ts'
import type { DiagnosisRules } from '../../telemetry/diagnosis-rules.ts'
import type { IssuesAnswer, SeenPain } from '../../telemetry/questions.ts'
import type { AskTelemetry } from '../../telemetry/read-pool.ts'
import { painNotFound } from './pains.contract.ts'
import type { KnownPain } from './pains.queries.ts'

export interface PainsDeps {
  ask: AskTelemetry
  nowMs: () => number
  rules: DiagnosisRules
  readLedger(caller: Pick<Caller, 'projectNo' | 'projectId'>): Promise<ChangeLedger>
}

interface PainStore {
  remember(projectNo: number, seen: readonly SeenPain[]): void
  find(projectNo: number, painId: string): KnownPain | null
}

export interface IssuesRequest {
  window: MinuteWindow
  sinceMinutes: number
  service: string | null
  painsSkip: number
  painsMax: number
}

type Owner = Pick<Caller, 'projectNo' | 'projectId'>

/** Pains of a window as packets show them; every one of them can be found by its id from then on. */
export type ReadIssues = (owner: Owner, request: IssuesRequest) => Promise<IssuesAnswer>

export function createReadIssues({ ask, rules, readLedger }: PainsDeps, { remember }: PainStore): ReadIssues {
  return async ({ projectNo, projectId }, request) => {
    const ledger = await readLedger({ projectNo, projectId })
    const answer = await ask('issues', { ...rules, ...request, projectNo, projectId, ledger, only: null })
    remember(projectNo, answer.seen)
    return answer
  }
}

export interface ListRequest {
  since_minutes?: number
  service?: string
  limit: number
  cursor?: string
}

interface PainPage {
  skip: number
  toMinute: number
}

/** A page of pains. The window stands still from page to page, so none is shown twice because time went on. */
export function createListPains({ nowMs, rules }: PainsDeps, readIssues: ReadIssues) {
  return async (caller: Owner, { since_minutes, service = undefined, limit, cursor }: ListRequest) => {
    const sinceMinutes = since_minutes ?? rules.sinceMinutesDefault
    const scope = { projectId: caller.projectId, list: 'pains', query: [sinceMinutes, service ?? null] }
    const page = cursor === undefined ? null : (readCursor(scope, cursor) as PainPage)
    const toMinute = page?.toMinute ?? windowOfLast(sinceMinutes, nowMs()).toMinute
    const skip = page?.skip ?? 0
    const answer = await readIssues(caller, {
      window: { fromMinute: toMinute - sinceMinutes, toMinute },
      sinceMinutes,
      service: service ?? null,
      painsSkip: skip,
      painsMax: limit,
    })
    const next = skip + answer.issues.length
    const more = answer.issues.length > 0 && next < answer.painsTotal
    return { items: answer.issues.map(toSummary), next_cursor: more ? writeCursor(scope, { skip: next, toMinute }) : null }
  }
}

function toSummary(issue: Issue) {
  const { pain_id, title, severity, signal_type, count, session_count, evidence_count, evidence_ids, first_seen, last_seen } =
    issue
  const { trend, status, provisional } = issue
  return {
    ...{ pain_id, title, severity, signal_type, count, session_count, evidence_count, evidence_ids, first_seen, last_seen },
    ...{ trend, status, provisional },
  }
}

/** One pain, alive or remembered, and why its records are one. */
export function createReadPain({ ask, nowMs, rules, readLedger }: PainsDeps, { find }: PainStore) {
  const read = async ({ projectNo, projectId }: Owner, painId: string, sinceMinutes = rules.sinceMinutesDefault) => {
    const pain = find(projectNo, painId) ?? fail(painNotFound, 'this project has no pain with this id')
    const ledger = await readLedger({ projectNo, projectId })
    const window = windowOfLast(sinceMinutes, nowMs())
    const only = toHex(pain.fingerprint)
    const scope = { projectNo, projectId, window, sinceMinutes, service: null, painsSkip: 0, painsMax: 1, only, ledger }
    return { pain, ledger, answer: await ask('pain', { ...rules, ...scope }) }
  }
  return {
    async show(owner: Owner, painId: string, sinceMinutes?: number) {
      const { pain, ledger, answer } = await read(owner, painId, sinceMinutes)
      return {
        pain_id: pain.painId,
        title: pain.title,
        signal_type: pain.signal as SignalType,
        service: pain.service,
        operation: pain.operation,
        status: ledger.statusOf[painId] ?? ('new' as const),
        first_seen: msToIso(pain.firstSeenMs),
        last_seen: msToIso(pain.lastSeenMs),
        issue: answer.issue,
        history: answer.history,
        siblings: answer.siblings,
      }
    },
    async why(owner: Owner, painId: string, sinceMinutes?: number) {
      const { pain, answer } = await read(owner, painId, sinceMinutes)
      const { key, because, frames, siblings, issue } = answer
      return {
        pain_id: pain.painId,
        fingerprint: toHex(pain.fingerprint),
        parent_key: key?.parentKey ?? null,
        template: key?.template ?? null,
        error_type: key?.errorType ?? null,
        steps: key?.steps ?? [],
        because,
        frames,
        siblings,
        evidence_ids: issue?.evidence_ids ?? [],
        unavailable: {
          ...(key === null && { steps: 'telemetry_expired' }),
          ...(because === null && { because: 'no_failure_in_window' }),
        },
      }
    },
  }
}
