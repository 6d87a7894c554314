import { toIndexText } from '@loopkit/shared/database/telemetry/index-text'
import type { StoredSpan } from '@loopkit/shared/database/telemetry/read-trace'
import type { Exemplar } from '@loopkit/shared/rollup/exemplars'
import type { SignalType } from '@loopkit/shared/signals/signal-type'
import { viewSpan } from '@loopkit/shared/span/view-span'
import { JUDGE_FILTER } from '../records/judge-span.ts'
import { nameOf, readSpans } from '../records/read-spans.ts'
import {
  comparePlaces,
  createIsBehind,
  createIsWithin,
  placeOf,
  type RecordFilter,
  type RecordPosition,
  toPosition,
} from '../records/record-place.ts'
import type { RecordOwner } from '../records/record-sessions.ts'
import type { TelemetryConnection } from '../telemetry-file.ts'
import { blameOutliers } from './blame-outliers.ts'
import { readOutliers } from './read-outliers.ts'

/** What records are known to be slow or dear: only their operation's history says so of them, so lists ask only where they are asked. */
export type OutlierSignals = ReadonlyMap<string, SignalType>

type Owner = Pick<RecordOwner, 'projectNo' | 'off'> & Partial<Pick<RecordFilter, 'toMs'>>

export function isOutlierSignal(signal: SignalType | null): boolean {
  return signal === 'slow' || signal === 'cost_outlier'
}

/** Runs known by name of all that was out of the usual lately, by trace and span id. */
export function readOutlierSignals(connection: TelemetryConnection, owner: Owner): OutlierSignals {
  return new Map(readNamed(connection, owner).map(({ signal, traceId, spanId }) => [nameOf({ traceId, spanId }), signal]))
}

interface OutlierRecordsQuestion extends RecordOwner, RecordFilter {
  limit: number
  after: RecordPosition | null
}

/** A page of them, in the order of every list of records. */
export function listOutlierRecords(
  connection: TelemetryConnection,
  question: OutlierRecordsQuestion,
): { spans: StoredSpan[]; next: RecordPosition | null; omitted: [] } {
  const { projectNo, service, signal, limit, after } = question
  const named = readNamed(connection, question).filter((one) => one.signal === signal)
  const isWithin = createIsWithin(question)
  const isBehind = createIsBehind(after)
  const placed = [...readSpans(connection, projectNo, named, JUDGE_FILTER)]
    .map(([, stored]) => ({ stored, place: placeOf(stored) }))
    .filter(({ stored, place }) => isWithin(stored.receivedMs, stored.ctx.span) && isBehind(place))
    .filter(({ stored }) => service === null || toIndexText(viewSpan(stored.ctx).service) === service)
    .sort((a, b) => comparePlaces(a.place, b.place))
  const page = placed.slice(0, limit)
  const last = page.at(-1)
  const whole = readSpans(
    connection,
    projectNo,
    page.map(({ stored }) => stored.ctx.span),
  )
  const byName = new Map([...whole.values()].map((stored) => [nameOf(stored.ctx.span), stored]))
  return {
    spans: page.flatMap(({ stored }) => byName.get(nameOf(stored.ctx.span)) ?? []),
    next: last && placed.length > limit ? toPosition(last.place) : null,
    omitted: [],
  }
}

const MINUTE_MS = 60_000
/** Hours of sketches that are kept. */
const LOOKED_MINUTES = 8 * 1440

function readNamed(
  connection: TelemetryConnection,
  { projectNo, off, toMs = null }: Owner,
): (Exemplar & { signal: SignalType })[] {
  const newest = connection.db.prepare('select max(received_max_ms) from segment where project_no = ?').pluck()
  const lastMs = Math.min(toMs ?? Number.MAX_SAFE_INTEGER, ((newest.get(projectNo) as number | null) ?? 0) + 1)
  const toMinute = Math.ceil(lastMs / MINUTE_MS)
  const window = { fromMinute: Math.max(0, toMinute - LOOKED_MINUTES), toMinute }
  const places = readOutliers(connection, { projectNo, off, window, events: null, service: null })
  return blameOutliers(connection, projectNo, places).flatMap(({ signal, exemplars }) =>
    exemplars.map((exemplar) => ({ ...exemplar, signal })),
  )
}
