import type { SqliteDatabase } from '@loopkit/shared/database/open'
import { MARKER_VALUES_MAX, MARKERS_PER_PROJECT_MAX } from '@loopkit/shared/database/telemetry/change-markers'

/** A marker as its row has it. */
export interface DecidedMarker {
  kind: string
  service: string
  subject: string
  value: string
  eventMs: number
}

export interface MarkerWriter {
  write(projectNo: number, markers: readonly DecidedMarker[], decidedMs: number): void
  /** After a rollback: what was written in it is not there. */
  forget(): void
}

/** Markers that are known to be stored, so that each run writes none. */
const REMEMBERED_MAX = 20_000

/** Keeps the first run of each marker, whatever order they come in. Call it inside the transaction of the decision. */
export function createMarkerWriter(db: SqliteDatabase): MarkerWriter {
  const known = new Map<string, number>()
  const move = db.prepare(`
    update change_marker set first_event_ms = min(first_event_ms, ?)
    where project_no = ? and kind = ? and service = ? and subject = ? and value = ?`)
  const add = db.prepare(`
    insert into change_marker (project_no, kind, service, subject, value, first_event_ms, first_decided_ms)
    select @projectNo, @kind, @service, @subject, @value, @eventMs, @decidedMs
    where (select count(*) from change_marker
           where project_no = @projectNo and kind = @kind and service = @service and subject = @subject) < ${MARKER_VALUES_MAX}
      and (select count(*) from change_marker where project_no = @projectNo) < ${MARKERS_PER_PROJECT_MAX}`)
  return {
    write(projectNo, markers, decidedMs) {
      for (const { kind, service, subject, value, eventMs } of markers) {
        const key = JSON.stringify([projectNo, kind, service, subject, value])
        const before = known.get(key)
        if (before !== undefined && before <= eventMs) continue
        if (known.size >= REMEMBERED_MAX) known.clear()
        known.set(key, eventMs)
        if (move.run(eventMs, projectNo, kind, service, subject, value).changes === 0)
          add.run({ projectNo, kind, service, subject, value, eventMs, decidedMs })
      }
    },
    forget: () => known.clear(),
  }
}
