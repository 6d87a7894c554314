import { HOUR_MS, type Measure } from '@loopkit/shared/rollup/sketch-delta'
import { runsAbove } from '../../domain/outliers/value-steps.ts'
import type { MinuteWindow } from '../../domain/window.ts'
import { outlierFingerprint } from '../outliers/outlier-pains.ts'
import { type OperationOutliers, readOperationOutliers } from '../outliers/read-outliers.ts'
import type { TelemetryConnection } from '../telemetry-file.ts'
import type { FailureRow, RunRow } from './exposure-rows.ts'

/** Runs before and after a change, and those of them beyond the threshold that the pain had before it. */
export interface OutlierExposure {
  operationNo: number
  service: string
  parentKey: string
  runs: RunRow[]
  failures: FailureRow[]
}

interface OutlierExposureQuestion {
  projectNo: number
  projectId: string
  window: MinuteWindow
  fingerprints: readonly string[] | null
  change: { shippedAtMs: number }
}

const MEASURES_OF = { slow: ['latency'], cost_outlier: ['cost', 'tokens'] } as const
const HOUR_MINUTES = 60

/**
 * What sketches of hours say of a pain of slow or dear runs; null where none of the fingerprints is one. The hour of the change is of
 * neither side, and the threshold is that of the hours before it: what is usual afterwards must not move it.
 */
export function readOutlierExposure(connection: TelemetryConnection, question: OutlierExposureQuestion): OutlierExposure | null {
  const place = findPlace(connection, question)
  if (place === null) return null
  const { signal, operationNo } = place
  const shippedHour = Math.floor(question.change.shippedAtMs / HOUR_MS)
  const all = MEASURES_OF[signal].map((measure: Measure) => readOperationOutliers(connection, question, { measure, operationNo }))
  const read = all.find(({ spells }) => spells.length > 0) ?? all[0]!
  const step = thresholdOf(read, shippedHour)
  const hours = step === null ? [] : read.hours.filter(({ bucket }) => bucket !== shippedHour)
  const at = (bucket: number) => ({
    event_minute: bucket * HOUR_MINUTES + HOUR_MINUTES / 2,
    release_no: 0,
    operation_no: operationNo,
  })
  return {
    ...{ operationNo, service: place.service, parentKey: place.parentKey },
    runs: hours.map(({ bucket, steps }) => ({ ...at(bucket), spans: steps.total, runs: steps.total })),
    failures: hours.flatMap(({ bucket, steps }) => {
      const beyond = runsAbove(steps, step!)
      return beyond === 0 ? [] : [{ ...at(bucket), weight: beyond, weight_squared: beyond }]
    }),
  }
}

/** Of the worst hour before the change, else of the worst there is; null where there is none. */
function thresholdOf({ spells }: OperationOutliers, shippedHour: number): number | null {
  const before = spells.filter(({ bucket }) => bucket < shippedHour)
  const [worst] = (before.length > 0 ? before : spells).toSorted((a, b) => b.beyond - a.beyond || a.bucket - b.bucket)
  return worst?.step ?? null
}

interface OutlierIdentity {
  signal: 'slow' | 'cost_outlier'
  operationNo: number
  service: string
  parentKey: string
}

/** Fingerprints do not say what they are of, so each operation is asked for its own. */
function findPlace(
  { db }: TelemetryConnection,
  { projectNo, projectId, fingerprints }: OutlierExposureQuestion,
): OutlierIdentity | null {
  if (fingerprints === null) return null
  const wanted = new Set(fingerprints)
  const operations = db.prepare('select operation_no as operationNo, service, operation from operation where project_no = ?')
  for (const row of operations.all(projectNo) as { operationNo: number; service: string; operation: string }[]) {
    for (const signal of ['slow', 'cost_outlier'] as const) {
      const { key, parentKey } = outlierFingerprint(projectId, { signal, ...row })
      if (wanted.has(key)) return { signal, operationNo: row.operationNo, service: row.service, parentKey }
    }
  }
  return null
}
