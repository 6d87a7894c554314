import { MARKER_VALUES_MAX } from '@loopkit/shared/database/telemetry/change-markers'
import type { MarkerKind } from '@loopkit/shared/signals/change-markers'
import type { TelemetryConnection } from './telemetry-file.ts'

/** A model, prompt or tool schema that took the place of another, at its first run. */
export interface SeenMarker {
  kind: MarkerKind
  service: string
  subject: string
  value: string
  firstEventMs: number
}

/** Markers looked at, the newest. */
const MARKERS_MAX = 500

/**
 * What was first seen of agents, without the first of each subject: that was there before we were, or had nothing to replace, as when
 * an idle path wakes up. A subject that varies from run to run tells of no change.
 */
export function answerMarkers({ db }: TelemetryConnection, { projectNo }: { projectNo: number }): SeenMarker[] {
  const rows = db.prepare(
    `select kind, service, subject, value, first_event_ms as firstEventMs from (
       select *, row_number() over (subject_order) as turn, count(*) over (partition by kind, service, subject) as many
       from change_marker where project_no = ?
       window subject_order as (partition by kind, service, subject order by first_event_ms, first_decided_ms, value))
     where turn > 1 and many < ${MARKER_VALUES_MAX}
     order by first_event_ms desc, kind, service, subject, value limit ${MARKERS_MAX}`,
  )
  return rows.all(projectNo) as SeenMarker[]
}
