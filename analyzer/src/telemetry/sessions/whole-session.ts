import { AWAITS_END } from '@loopkit/shared/database/telemetry/awaits-end'
import { toIndexText } from '@loopkit/shared/database/telemetry/index-text'
import type { StoredSpan } from '@loopkit/shared/database/telemetry/read-trace'
import { toHex } from '@loopkit/shared/otlp/ids'
import type { JudgedTrace } from '@loopkit/shared/signals/model'
import type { Omission } from '../../domain/packet/model.ts'
import { joinSteps, type PlacedStep, type SessionStep, stepsOfTrace } from '../../domain/session/session-step.ts'
import { eachTrace } from '../records/each-trace.ts'
import { sessionText, toTraceSpan, WHOLE_TRACE_FILTER } from '../records/judge-span.ts'
import { judgeWhole } from '../records/judge-whole.ts'
import { omittedSegments } from '../records/omitted-segments.ts'
import type { RecordOwner } from '../records/record-sessions.ts'
import type { TelemetryConnection } from '../telemetry-file.ts'
import type { SessionTraces } from './find-session.ts'
import { readStored } from './session-rows.ts'
import { type PartTotals, toTotals } from './session-totals.ts'

/** Traces whose steps are read with all that was said in them, and steps that are held. */
const TRACES_MAX = 50
const STEPS_MAX = 50_000

/** A session judged whole: its steps with what they said, and its totals. */
export interface WholeSession {
  /** As it was sent. */
  sessionId: string
  steps: SessionStep[]
  parts: PartTotals[]
  traces: number
  /** Some of it is not decided yet. */
  provisional: boolean
  /** Arrival of its first record that was read. */
  receivedMs: number
  omitted: Omission[]
}

export interface AskedSession extends SessionTraces {
  id: string
}

/** null where nothing of it is stored. */
export function readWholeSession(
  connection: TelemetryConnection,
  owner: RecordOwner,
  { id, sessionNo, traceIds, leftOut }: AskedSession,
): WholeSession | null {
  const damaged = new Set<number>()
  const isOpen = createIsOpen(connection, owner.projectNo, 'open_trace')
  const isUndecided = createIsOpen(connection, owner.projectNo, `(select * from open_trace where not (${AWAITS_END}))`)
  const session: WholeSession = { ...NOTHING, sessionId: id, steps: [], parts: [], traces: traceIds.length }
  const placed: PlacedStep[] = []
  const read = new Set<string>()
  const inReach = traceIds.slice(0, TRACES_MAX)
  for (const { traceId, stored } of eachTrace(connection, owner.projectNo, inReach, WHOLE_TRACE_FILTER, damaged)) {
    if (placed.length >= STEPS_MAX) break
    const judged = judge(connection, owner, stored, !isOpen(traceId))
    const isOwn = createIsOwn(judged, sessionNo === null ? null : id)
    read.add(traceId)
    placed.push(...stepsOf(connection, owner, { stored, judged }).filter(({ key }) => isOwn(key.slice(key.indexOf(' ') + 1))))
    session.parts.push(...judged.sessions.filter((part) => sessionNo === null || isNamed(part.sessionId, id)).map(toTotals))
    session.provisional ||= isUndecided(traceId)
    session.receivedMs = stored.reduce((first, { receivedMs }) => Math.min(first, receivedMs), session.receivedMs)
    if (sessionNo === null) session.sessionId = sessionText(traceId, stored[0]!.ctx.span)
  }
  const unread = traceIds.length + leftOut - read.size
  session.steps = joinSteps(placed)
  session.parts.push(...partsOfUnread(connection, owner.projectNo, { sessionNo, read }))
  session.omitted = [
    ...(unread > 0 && traceIds.length > 1 ? [{ what: 'traces', count: unread, reason: 'session_too_large' }] : []),
    ...omittedSegments(damaged.size),
  ]
  return placed.length === 0 && session.omitted.length === 0 ? null : session
}

const NOTHING = { provisional: false, receivedMs: Number.MAX_SAFE_INTEGER, omitted: [] }

const isNamed = (sessionId: string, id: string) => toIndexText(sessionId) === toIndexText(id)

function createIsOwn({ sessionOf }: JudgedTrace, id: string | null): (spanId: string) => boolean {
  return (spanId) => id === null || isNamed(sessionOf.get(spanId) ?? '', id)
}

function judge(connection: TelemetryConnection, { projectId, off }: RecordOwner, stored: readonly StoredSpan[], isOver: boolean) {
  return judgeWhole(connection, { projectId, off: new Set(off), isOver, withHints: true }, stored)
}

function stepsOf(
  { costOf }: TelemetryConnection,
  { off }: RecordOwner,
  { stored, judged }: { stored: readonly StoredSpan[]; judged: JudgedTrace },
): PlacedStep[] {
  const signalsOff = new Set(off)
  return stepsOfTrace({ ...judged, records: stored.map(({ ctx }) => toTraceSpan(ctx, signalsOff)) }, costOf)
}

/** Whether the trace has a row there. One without any will not change: what has not ended by now never will. */
function createIsOpen({ db, hasher }: TelemetryConnection, projectNo: number, rows: string): (traceId: string) => boolean {
  const find = db.prepare(`select 1 from ${rows} where project_no = ? and trace_hash = ?`)
  return (traceId) => find.get(projectNo, BigInt.asIntN(64, hasher(projectNo, Buffer.from(traceId, 'hex')))) !== undefined
}

/** Totals of traces that were not read, as their decisions have them. */
function partsOfUnread(
  { db }: TelemetryConnection,
  projectNo: number,
  { sessionNo, read }: { sessionNo: number | null; read: ReadonlySet<string> },
): PartTotals[] {
  if (sessionNo === null || read.size < TRACES_MAX) return []
  return readStored(db, projectNo, { sessionNo }).flatMap(({ traceId, decided, ...part }) =>
    decided && !read.has(toHex(traceId)) ? [part] : [],
  )
}
