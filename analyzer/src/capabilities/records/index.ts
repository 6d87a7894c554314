import { parseTraceId } from '@loopkit/shared/otlp/ids'
import type { SignalType } from '@loopkit/shared/signals/signal-type'
import type { ShownLimits } from '@loopkit/shared/span/normalize-span'
import { decodeRecordId } from '@loopkit/shared/span/record-id'
import { windowBoundsMs, windowOfLast } from '../../domain/window.ts'
import { type Route, route } from '../../http/contract.ts'
import { readCursor, writeCursor } from '../../http/cursor.ts'
import { fail } from '../../http/errors.ts'
import { eventBounds } from '../../http/event-bounds.ts'
import { rawJson } from '../../http/reply.ts'
import type { Caller } from '../../http/request-facts.ts'
import type { DiagnosisRules } from '../../telemetry/pains/diagnosis-rules.ts'
import type { AskTelemetry } from '../../telemetry/read-pool.ts'
import type { RecordPosition } from '../../telemetry/records/record-place.ts'
import { getLedger, getReceipt } from './ledger.contract.ts'
import { readLedger, readReceipt } from './ledger.ts'
import { invalidId, listTelemetry } from './records.contract.ts'

export interface RecordsDeps {
  ask: AskTelemetry
  nowMs: () => number
  rules: Pick<DiagnosisRules, 'sinceMinutesDefault' | 'off'>
  limits: ShownLimits
  quietMs: number
}

interface RecordsRequest {
  since_minutes?: number
  limit: number
  cursor?: string
  signal_type?: SignalType
  service?: string
  record_id?: string
  trace_id?: string
  from?: string
  to?: string
}

type Owner = Pick<Caller, 'projectNo' | 'projectId'>

/** Records as they lie there, and what became of everything that was sent. */
export function createRecordsCapability(deps: RecordsDeps): { routes: Route[] } {
  const { ask, nowMs, rules, quietMs } = deps
  const ledger = { ask, nowMs, quietMs, sinceMinutesDefault: rules.sinceMinutesDefault }
  return {
    routes: [
      route(listTelemetry, async ({ caller, query }) => rawJson(await listRecords(deps, caller, query))),
      route(getLedger, ({ caller, query }) => readLedger(ledger, caller.projectNo, query.since_minutes)),
      route(getReceipt, ({ caller, params }) => readReceipt(ledger, caller.projectNo, params.id)),
    ],
  }
}

/** A page of records as JSON text. An id that no record can have finds none, as an unknown one does. */
async function listRecords({ ask, nowMs, rules, limits }: RecordsDeps, { projectNo, projectId }: Owner, request: RecordsRequest) {
  const { limit, cursor, ...filter } = request
  const scope = { projectId, list: 'telemetry', query: filter }
  const after = cursor === undefined ? null : (readCursor(scope, cursor) as RecordPosition)
  const { itemsJson, next, omitted } = await ask('records', {
    projectNo,
    projectId,
    off: rules.off,
    ...idsOf(request),
    ...boundsOf(request, rules.sinceMinutesDefault, nowMs()),
    service: request.service ?? null,
    signal: request.signal_type ?? null,
    limit,
    after,
    limits,
  })
  const nextCursor = next === null ? null : writeCursor(scope, next)
  const lacks = omitted.length === 0 ? '' : `,"omitted":${JSON.stringify(omitted)}`
  return `{"items":${itemsJson},"next_cursor":${JSON.stringify(nextCursor)}${lacks}}`
}

function idsOf({ record_id, trace_id }: RecordsRequest): { traceId: Uint8Array | null; spanId: Uint8Array | null } {
  if (record_id !== undefined) {
    return decodeRecordId(record_id) ?? fail(invalidId, 'record_id must be an id that a record of this product carries')
  }
  if (trace_id === undefined) return { traceId: null, spanId: null }
  const parsed = parseTraceId(trace_id) ?? fail(invalidId, 'trace_id must not be empty or all zero')
  return { traceId: parsed.bytes, spanId: null }
}

/** Without a word about time a list shows the default window; one that names an id or event times shows all that arrived. */
function boundsOf({ since_minutes, from, to, trace_id, record_id }: RecordsRequest, sinceDefault: number, nowMs: number) {
  const everything = trace_id !== undefined || record_id !== undefined || from !== undefined || to !== undefined
  const sinceMinutes = since_minutes ?? (everything ? null : sinceDefault)
  const arrival = sinceMinutes === null ? { fromMs: null, toMs: null } : windowBoundsMs(windowOfLast(sinceMinutes, nowMs))
  return { ...arrival, ...eventBounds({ from, to }) }
}
