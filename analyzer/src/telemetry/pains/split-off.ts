import { fromHex } from '@loopkit/shared/otlp/ids'
import type { ProjectRules, SplitRule } from '@loopkit/shared/signals/fingerprint-rules'
import { encodeRecordId } from '@loopkit/shared/span/record-id'
import type { MinuteWindow } from '../../domain/window.ts'
import type { FailureRow } from '../exposure/exposure-rows.ts'
import type { TelemetryConnection } from '../telemetry-file.ts'
import { createPartOf, type RecordedFailure, toldApartMax } from './split-decided.ts'

/** A split that a fingerprint was made by. */
export interface NamedSplit {
  ruleId: string
  /** Hex: the pain that was split. */
  origin: string
}

export interface SplitOff {
  failures: FailureRow[]
  /** Hex: pains that some of the failures were decided under. */
  origins: string[]
  /** They were too many to be told apart, or the split is undone. */
  isCut: boolean
}

interface Question {
  projectNo: number
  projectId: string
  window: MinuteWindow
  settledMinute: number
  fingerprints: readonly string[]
  rules: ProjectRules
}

interface OldFailure extends RecordedFailure {
  eventMinute: number
  releaseNo: number
  weight: number
}

const MINUTE_MS = 60_000

/**
 * Failures of a part of a pain that was split, from before it was: they were decided under the whole, and their records say which part
 * they are. What was split off pains that are judged themselves is counted there.
 */
export function countSplitOff(connection: TelemetryConnection, question: Question, made: readonly NamedSplit[]): SplitOff {
  const { fingerprints, rules, window } = question
  const own = new Set(fingerprints)
  const isElsewhere = ({ origin }: { origin: string }) => !own.has(origin)
  const live = new Set(Object.values(rules.splits).map(({ ruleId }) => ruleId))
  const undone = made.filter(isElsewhere).some(({ ruleId }) => !live.has(ruleId))
  const named = new Set(made.map(({ origin }) => origin))
  const wanted = Object.entries(rules.splits)
    .map(([origin, split]) => ({ origin, split }))
    .filter(isElsewhere)
    .filter(({ split }) => split.createdAtMs > window.fromMinute * MINUTE_MS)
    // A part that failed since names its pain; of one that has not, any may be it.
    .filter(({ origin }) => named.size === 0 || named.has(origin))
  const most = toldApartMax(wanted.length)
  const found = wanted
    .map((one) => ({ ...one, ...countOf(connection, question, { ...one, most }) }))
    .filter(({ rows }) => rows.length > 0)
  return {
    failures: found.flatMap(({ rows }) => rows),
    origins: found.map(({ origin }) => origin),
    isCut: undone || found.some(({ isCut }) => isCut),
  }
}

function countOf(
  connection: TelemetryConnection,
  question: Question,
  { origin, split, most }: { origin: string; split: SplitRule; most: number },
): { rows: FailureRow[]; isCut: boolean } {
  const { projectNo, projectId, fingerprints, rules } = question
  const old = readOld(connection, question, { origin, most })
  const partOf = createPartOf(connection, { projectNo, projectId, view: { rules } }, { split, failures: old })
  const own = old.filter((failure) => fingerprints.includes(partOf(failure)?.fingerprint ?? ''))
  const rows = own.map(({ eventMinute, releaseNo, weight }) => ({
    event_minute: eventMinute,
    release_no: releaseNo,
    operation_no: null,
    weight,
    weight_squared: weight * weight,
  }))
  return { rows, isCut: old.length === most }
}

interface OldRow {
  trace_id: Uint8Array
  span_id: bigint
  event_ms: bigint
  release_no: bigint
  weight: number
}

function readOld(
  { db }: TelemetryConnection,
  { projectNo, window, settledMinute }: Question,
  { origin, most }: { origin: string; most: number },
): OldFailure[] {
  const rows = db
    .prepare(
      `select trace_id, span_id, event_ms, release_no, weight from failure f
       where f.fingerprint_no = (select fingerprint_no from fingerprint where project_no = @projectNo and fingerprint = @origin)
         and f.project_no = @projectNo and f.decided_ms >= @fromMs and f.received_ms < @toMs and f.event_ms < @toMs
       order by failure_no desc limit @most`,
    )
    .safeIntegers()
    .all({
      projectNo,
      origin: fromHex(origin),
      most,
      fromMs: window.fromMinute * MINUTE_MS,
      toMs: settledMinute * MINUTE_MS,
    }) as OldRow[]
  return rows.map((row) => {
    const spanId = new Uint8Array(8)
    new DataView(spanId.buffer).setBigInt64(0, row.span_id)
    const traceId = new Uint8Array(row.trace_id)
    return {
      recordId: encodeRecordId(traceId, spanId),
      ...{ traceId, spanId },
      eventMinute: Math.floor(Number(row.event_ms) / MINUTE_MS),
      releaseNo: Number(row.release_no),
      weight: row.weight,
    }
  })
}
