import type { ShownLimits } from '@loopkit/shared/span/normalize-span'
import { windowBoundsMs, windowOfLast } from '../../domain/window.ts'
import { type Route, route } from '../../http/contract.ts'
import { readCursor, writeCursor } from '../../http/cursor.ts'
import { fail } from '../../http/errors.ts'
import { eventBounds } from '../../http/event-bounds.ts'
import { rawJson } from '../../http/reply.ts'
import type { Caller } from '../../http/request-facts.ts'
import type { DiagnosisRules } from '../../telemetry/pains/diagnosis-rules.ts'
import type { AskTelemetry } from '../../telemetry/read-pool.ts'
import type { SessionPosition, SessionView } from '../../telemetry/sessions/answer-session.ts'
import type { SessionsPosition } from '../../telemetry/sessions/session-rows.ts'
import { getScorecard } from './scorecard.contract.ts'
import { getSession, listSessions, sessionNotFound } from './sessions.contract.ts'

export interface SessionsDeps {
  ask: AskTelemetry
  nowMs: () => number
  rules: Pick<DiagnosisRules, 'sinceMinutesDefault' | 'off'>
  limits: ShownLimits
}

interface ListRequest {
  since_minutes?: number
  limit: number
  cursor?: string
  from?: string
  to?: string
}

type Owner = Pick<Caller, 'projectNo' | 'projectId'>

/** Sessions on one page: their undecided traces are judged. Who asks for more gets a page and a cursor. */
const SESSIONS_PER_PAGE = 200
/** Records on one page of a session (contract §4). */
const RECORDS_PER_PAGE = 1000

export function createSessionsCapability(deps: SessionsDeps): { routes: Route[] } {
  return {
    routes: [
      route(listSessions, ({ caller, query }) => list(deps, caller, query)),
      route(getScorecard, async ({ caller, params }) => rawJson(await score(deps, caller, params.id))),
      route(getSession, async ({ caller, params, query }) => rawJson(await show(deps, caller, { id: params.id, ...query }))),
    ],
  }
}

/** The last session of a page, and the window of the first one. */
interface SessionsPage extends SessionsPosition {
  fromMs: number
  toMs: number
}

function arrivedBy({ fromMs, toMs }: { fromMs: number; toMs: number }, nowMs: number) {
  return { fromMs, toMs: Math.min(toMs, nowMs + 1) }
}

async function list(
  { ask, nowMs, rules }: SessionsDeps,
  { projectNo, projectId }: Owner,
  { limit, cursor, ...filter }: ListRequest,
) {
  const scope = { projectId, list: 'sessions', query: filter }
  const after = cursor === undefined ? null : (readCursor(scope, cursor) as SessionsPage)
  // As of the first page: a session to which something comes meanwhile would go to the front, where nobody looks any more.
  const { fromMs, toMs } = after ?? arrivedBy(arrivalOf(filter, rules.sinceMinutesDefault, nowMs()), nowMs())
  const page = { fromMs, toMs, ...eventBounds(filter), limit: Math.min(limit, SESSIONS_PER_PAGE), after }
  const { items, next } = await ask('sessions', { projectNo, projectId, off: rules.off, ...page })
  return { items, next_cursor: next && writeCursor(scope, { ...next, fromMs, toMs } satisfies SessionsPage) }
}

/** Event times alone look at all that arrived. */
function arrivalOf({ since_minutes, from, to }: Omit<ListRequest, 'limit' | 'cursor'>, sinceDefault: number, nowMs: number) {
  const everything = since_minutes === undefined && (from !== undefined || to !== undefined)
  if (everything) return { fromMs: 0, toMs: Number.MAX_SAFE_INTEGER }
  return windowBoundsMs(windowOfLast(since_minutes ?? sinceDefault, nowMs))
}

interface ShowRequest {
  id: string
  from?: string
  to?: string
  view: SessionView
  budget_tokens?: number
  cursor?: string
}

/** The scorecard as JSON text. */
async function score({ ask, rules }: SessionsDeps, { projectNo, projectId }: Owner, id: string): Promise<string> {
  return JSON.stringify((await ask('scorecard', { projectNo, projectId, off: rules.off, id })) ?? failUnknown())
}

function failUnknown(): never {
  return fail(sessionNotFound, 'this project has no session or trace with this id')
}

/** A page of one session as JSON text. */
async function show(
  { ask, rules, limits }: SessionsDeps,
  { projectNo, projectId }: Owner,
  request: ShowRequest,
): Promise<string> {
  const { id, view, budget_tokens: budgetTokens = null, cursor, from, to } = request
  const scope = { projectId, list: 'session', query: [id, view, from, to] }
  const after = cursor === undefined ? null : (readCursor(scope, cursor) as SessionPosition)
  const page = { view, budgetTokens, limit: RECORDS_PER_PAGE, after, ...eventBounds(request) }
  const question = { projectNo, projectId, off: rules.off, id, limits, ...page }
  const answer = (await ask('session', question)) ?? failUnknown()
  const { sessionId, records, traces, omitted, hints, itemsJson, next } = answer
  const frame = {
    session_id: sessionId,
    view,
    records,
    traces,
    omitted,
    ...(hints.length > 0 && { hints }),
    next_cursor: next === null ? null : writeCursor(scope, next),
  }
  return `${JSON.stringify(frame).slice(0, -1)},"items":${itemsJson}}`
}
