import { toHex } from '@loopkit/shared/otlp/ids'
import type { SignalType } from '@loopkit/shared/signals/signal-type'
import { titleOf } from '@loopkit/shared/signals/title'
import { painIdOf } from '../../domain/opaque-id.ts'
import type { SeenPain } from '../questions.ts'
import type { TelemetryConnection } from '../telemetry-file.ts'

export interface SplitPartsQuestion {
  projectNo: number
  projectId: string
  ruleId: string
}

/** Parts of one split that failures were decided under; more are not put back by undoing it. */
const PARTS_MAX = 500

interface PartRow {
  fingerprint: Uint8Array
  signal: SignalType
  service: string
  operation: string
  error_type: string | null
  template: string
  steps: string
  first_seen_ms: number
}

/** The pains that a split has made of failures since it was there. */
export function answerSplitParts({ db }: TelemetryConnection, { projectNo, projectId, ruleId }: SplitPartsQuestion): SeenPain[] {
  const rows = db
    .prepare(
      `select fingerprint, signal, service, operation, error_type, template, steps, first_seen_ms from fingerprint
       where project_no = ? and instr(steps, ?) > 0 order by fingerprint_no limit ${PARTS_MAX}`,
    )
    .all(projectNo, `${ruleId} of `) as PartRow[]
  return rows
    .map((row) => ({ row, steps: JSON.parse(row.steps) as { step: string; value: string }[] }))
    .filter(({ steps }) => steps.findLast(({ step }) => step === 'split')?.value.startsWith(`${ruleId} of `))
    .map(({ row, steps }) => ({
      painId: painIdOf(projectId, row.fingerprint),
      fingerprint: toHex(row.fingerprint),
      title: titleOf({ ...row, errorType: row.error_type, steps }),
      signal: row.signal,
      service: row.service,
      operation: row.operation,
      firstSeenMs: row.first_seen_ms,
      lastSeenMs: row.first_seen_ms,
    }))
}
