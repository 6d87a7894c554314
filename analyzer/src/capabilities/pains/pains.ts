import { toHex } from '@loopkit/shared/otlp/ids'
import { FINGERPRINT_SCHEME } from '@loopkit/shared/signals/fingerprint'
import type { SignalType } from '@loopkit/shared/signals/signal-type'
import { msToIso } from '@loopkit/shared/span/nanoseconds'
import type { ChangeLedger } from '../../domain/change-ledger.ts'
import type { Issue } from '../../domain/packet/model.ts'
import { addShown, NONE_SHOWN, packShown, type ShownPains, unpackShown } from '../../domain/shown-pains.ts'
import { type MinuteWindow, windowOfLast } from '../../domain/window.ts'
import { readCursor, writeCursor } from '../../http/cursor.ts'
import { fail } from '../../http/errors.ts'
import { eventBounds } from '../../http/event-bounds.ts'
import type { Caller } from '../../http/request-facts.ts'
import type { SinglePainAnswer } from '../../telemetry/pains/answer-pain.ts'
import type { DiagnosisRules } from '../../telemetry/pains/diagnosis-rules.ts'
import type { IssuesAnswer, SeenPain } from '../../telemetry/questions.ts'
import type { AskTelemetry } from '../../telemetry/read-pool.ts'
import { type Grouping, showMember, showMute } from './grouping.ts'
import { painNotFound } from './pains.contract.ts'

export interface PainsDeps {
  ask: AskTelemetry
  nowMs: () => number
  rules: DiagnosisRules
  readLedger(caller: Pick<Caller, 'projectNo' | 'projectId'>): Promise<ChangeLedger>
}

type Remember = (projectNo: number, seen: readonly SeenPain[]) => void

export interface IssuesRequest {
  window: MinuteWindow
  sinceMinutes: number
  service: string | null
  painsSkip: number
  painsMax: number
  /** Those that were shown before. */
  shown?: ShownPains
  /** Only failures between two event times, the end not included. */
  events?: { fromMs: number; toMs: number } | null
  /** Muted pains too. */
  withMuted?: boolean
}

type Owner = Pick<Caller, 'projectNo' | 'projectId'>

/** Pains of a window as packets show them; every one of them can be found by its id from then on. */
export type ReadIssues = (owner: Owner, request: IssuesRequest) => Promise<IssuesAnswer>

export function createReadIssues({ ask, rules, readLedger }: PainsDeps, remember: Remember, { readView }: Grouping): ReadIssues {
  return async ({ projectNo, projectId }, { events = null, withMuted = false, ...request }) => {
    const ledger = await readLedger({ projectNo, projectId })
    const scope = { ...rules, ...request, projectNo, projectId, ledger, events, withMuted, only: null }
    const answer = await ask('issues', { ...scope, view: readView(projectNo) })
    remember(projectNo, answer.seen)
    return answer
  }
}

export interface ListRequest {
  since_minutes?: number
  from?: string
  to?: string
  service?: string
  limit: number
  cursor?: string
}

/** Pains on one page: each is read with its evidence. Who asks for more gets a page and a cursor. */
const PAGE_MAX = 100

interface PainPage {
  toMinute: number
  shown: string
  unnamed: number
}

/** A page of pains. The window stands still from page to page, and the cursor names what was shown: each pain comes once. */
export function createListPains({ nowMs, rules }: PainsDeps, readIssues: ReadIssues, { readMutes }: Grouping) {
  return async (caller: Owner, { service, limit, cursor, ...bounds }: ListRequest) => {
    const { since_minutes, from, to } = bounds
    const events = eventsOf(bounds)
    // Event times alone look at all that arrived.
    const sinceMinutes = since_minutes ?? (events === null ? rules.sinceMinutesDefault : null)
    const scope = { projectId: caller.projectId, list: 'pains', query: [since_minutes ?? null, from, to, service ?? null] }
    const page = cursor === undefined ? null : (readCursor(scope, cursor) as PainPage)
    const toMinute = page?.toMinute ?? windowOfLast(1, nowMs()).toMinute
    const shown = page ? { named: unpackShown(page.shown), unnamed: page.unnamed } : NONE_SHOWN
    const answer = await readIssues(caller, {
      window: { fromMinute: sinceMinutes === null ? 0 : toMinute - sinceMinutes, toMinute },
      sinceMinutes: sinceMinutes ?? SINCE_MINUTES_MAX,
      service: service ?? null,
      painsSkip: shown.named.length + shown.unnamed,
      shown,
      painsMax: Math.min(limit, PAGE_MAX),
      events,
      withMuted: true,
    })
    const { named, unnamed } = addShown(
      shown,
      answer.seen.map(({ fingerprint }) => fingerprint),
    )
    const mutes = readMutes(caller.projectNo)
    return {
      items: answer.issues.map((issue) => ({ ...toSummary(issue), muted: showMute(mutes.get(issue.pain_id) ?? null) })),
      next_cursor:
        answer.painsLeft > 0 ? writeCursor(scope, { toMinute, shown: packShown(named), unnamed } satisfies PainPage) : null,
    }
  }
}

/** Thirty days: what a plan's window is made of where no window of arrival was asked for. */
const SINCE_MINUTES_MAX = 43_200

function eventsOf(bounds: { from?: string; to?: string }): { fromMs: number; toMs: number } | null {
  const { eventFromMs, eventToMs } = eventBounds(bounds)
  if (eventFromMs === null && eventToMs === null) return null
  return { fromMs: eventFromMs ?? Number.MIN_SAFE_INTEGER, toMs: eventToMs ?? Number.MAX_SAFE_INTEGER }
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

/** One pain, alive or remembered, and why its records are one. What was merged away answers with what it was merged into. */
export function createReadPain({ ask, nowMs, rules, readLedger }: PainsDeps, { find, readView }: Grouping) {
  const read = async ({ projectNo, projectId }: Owner, painId: string, sinceMinutes = rules.sinceMinutesDefault) => {
    const found = find(projectNo, painId) ?? fail(painNotFound, 'this project has no pain with this id')
    const ledger = await readLedger({ projectNo, projectId })
    const window = windowOfLast(sinceMinutes, nowMs())
    const only = toHex(found.pain.fingerprint)
    const scope = { projectNo, projectId, window, sinceMinutes, service: null, events: null, painsSkip: 0, painsMax: 1 }
    const answer = await ask('pain', { ...rules, ...scope, only, ledger, view: readView(projectNo), withMuted: true })
    return { ...found, ledger, answer }
  }
  return {
    async show(owner: Owner, painId: string, sinceMinutes?: number) {
      const { pain, mergedInto, members, mute, ledger, answer } = await read(owner, painId, sinceMinutes)
      return {
        pain_id: painId,
        merged_into: mergedInto,
        members: members.map(showMember),
        muted: showMute(mute),
        title: pain.title,
        signal_type: pain.signal as SignalType,
        service: pain.service,
        operation: pain.operation,
        status: ledger.statusOf[pain.painId] ?? ('new' as const),
        first_seen: msToIso(pain.firstSeenMs),
        last_seen: msToIso(pain.lastSeenMs),
        issue: answer.issue,
        history: answer.history,
        siblings: answer.siblings,
      }
    },
    async why(owner: Owner, painId: string, sinceMinutes?: number) {
      const { pain, mergedInto, members, answer } = await read(owner, painId, sinceMinutes)
      const { key, because, frames, siblings, issue } = answer
      return {
        pain_id: painId,
        merged_into: mergedInto,
        members: members.map(showMember),
        fingerprint: toHex(pain.fingerprint),
        parent_key: key?.parentKey ?? null,
        template: key?.template ?? null,
        error_type: key?.errorType ?? null,
        steps: stepsOf(answer.key, toHex(pain.fingerprint)),
        because,
        frames,
        siblings,
        evidence_ids: issue?.evidence_ids ?? [],
        scheme_version: key?.scheme ?? null,
        current_scheme_version: FINGERPRINT_SCHEME,
        rule_ids: (key?.steps ?? []).flatMap(({ step, value }) => (RULE_STEPS.has(step) ? [value.split(' ')[0]!] : [])),
        unavailable: {
          ...(key === null && { steps: 'telemetry_expired' }),
          ...(because === null && { because: 'no_failure_in_window' }),
        },
      }
    },
  }
}

/** Steps that name a rule. */
const RULE_STEPS: ReadonlySet<string> = new Set(['rule', 'split'])

/** From the text of one failure to the key that it counts under. */
function stepsOf(key: SinglePainAnswer['key'], fingerprint: string): { step: string; value: string }[] {
  if (key === null) return []
  const text = key.sampleMessage === null ? [] : [{ step: 'text as sent', value: key.sampleMessage }]
  return [...text, ...key.steps, { step: 'parent key', value: key.parentKey }, { step: 'key', value: fingerprint }]
}
