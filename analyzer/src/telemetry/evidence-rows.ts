import type { SqliteDatabase } from '@loopkit/shared/database/open'
import { encodeRecordId } from '@loopkit/shared/span/record-id'
import { windowBoundsMs } from '../domain/window.ts'
import type { PainQuestion } from './pain-question.ts'

/** A failing record by name: enough to read it again. */
export interface EvidenceRow {
  traceId: Uint8Array
  spanId: Uint8Array
  recordId: string
  sessionId: string
  eventMs: number
}

type Scope = Pick<PainQuestion, 'projectNo' | 'window'>

/**
 * Failures of one pain in the window: one of each trace before a second of any, the latest first, then the first, then by hash of
 * the trace id, which favours nothing and does not depend on the order of arrival.
 */
export function readEvidenceRows(
  db: SqliteDatabase,
  { projectNo, window }: Scope,
  { fingerprintNo, rowsMax }: { fingerprintNo: number; rowsMax: number },
): EvidenceRow[] {
  const { fromMs, toMs } = windowBoundsMs(window)
  const rows = db
    .prepare(
      `with shown as (
         select failure.*, row_number() over (partition by trace_hash order by event_ms, span_id) as turn,
           row_number() over (order by event_ms desc, trace_hash, span_id) as latest,
           row_number() over (order by event_ms, trace_hash, span_id) as first
         from failure where project_no = @projectNo and fingerprint_no = @fingerprintNo and decided_ms >= @fromMs and decided_ms < @toMs)
       select trace_id, span_id, event_ms, session_id from shown
       order by latest <> 1, first <> 1, turn, trace_hash, span_id limit @rowsMax`,
    )
    .safeIntegers()
    .all({ projectNo, fingerprintNo, fromMs, toMs, rowsMax }) as FailureRow[]
  return rows.map(toEvidence)
}

interface FailureRow {
  trace_id: Uint8Array
  span_id: bigint
  event_ms: bigint
  session_id: string
}

function toEvidence({ trace_id, span_id, event_ms, session_id }: FailureRow): EvidenceRow {
  const spanId = new Uint8Array(8)
  new DataView(spanId.buffer).setBigInt64(0, span_id)
  const traceId = new Uint8Array(trace_id)
  return { traceId, spanId, recordId: encodeRecordId(traceId, spanId), sessionId: session_id, eventMs: Number(event_ms) }
}

/** Distinct values read of one kind. */
const VALUES_MAX = 10_000

/** What the decided failures of a pain name in the window: services passed through, releases, users. */
export function readNamed(
  db: SqliteDatabase,
  { projectNo, window }: Scope,
  fingerprintNo: number | null,
): { services: string[]; releases: string[]; users: string[] } {
  if (fingerprintNo === null) return { services: [], releases: [], users: [] }
  const { fromMs, toMs } = windowBoundsMs(window)
  const column = (sql: string) =>
    db.prepare(sql).pluck().all({ projectNo, fingerprintNo, fromMs, toMs, valuesMax: VALUES_MAX }) as string[]
  const inWindow = `f.project_no = @projectNo and f.fingerprint_no = @fingerprintNo and f.decided_ms >= @fromMs and f.decided_ms < @toMs`
  return {
    services: column(`select distinct services from failure f where ${inWindow} limit @valuesMax`).flatMap(toNames),
    releases: column(`select distinct release from failure f join release using (release_no) where ${inWindow} limit @valuesMax`),
    users: column(
      `select distinct user from failure f join session_trace t on t.project_no = f.project_no and t.trace_hash = f.trace_hash
         join session s on s.session_no = t.session_no and s.session_id = f.session_id where ${inWindow} and user is not null limit @valuesMax`,
    ),
  }
}

function toNames(json: string): string[] {
  const names: unknown = JSON.parse(json)
  return Array.isArray(names) ? names.filter((name) => typeof name === 'string') : []
}
