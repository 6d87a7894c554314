import { RELEASE_BEGAN_MS } from './exposure/release-began.ts'
import type { TelemetryConnection } from './telemetry-file.ts'

export interface SeenRelease {
  service: string
  release: string
  firstSeenMs: number
}

/** Versions looked at, the newest; a service that makes a new one for each request must not fill the ledger. */
const RELEASES_MAX = 1000

/** Versions first seen in telemetry, without the first version of each service: that one shipped before we were there. */
export function answerReleases({ db }: TelemetryConnection, { projectNo }: { projectNo: number }): SeenRelease[] {
  const rows = db.prepare(
    `with recent as (
       select *, ${RELEASE_BEGAN_MS} as began_ms from release where project_no = @projectNo order by first_seen_ms desc limit @max),
     ranked as (
       select *, row_number() over (partition by service order by began_ms, first_seen_ms, release_no) as turn from recent)
     select service, release, began_ms as firstSeenMs from ranked
     where turn > 1 or exists (select 1 from release older where older.project_no = @projectNo and older.service = ranked.service
       and older.first_seen_ms < (select min(first_seen_ms) from recent))
     order by began_ms desc, release_no desc`,
  )
  return rows.all({ projectNo, max: RELEASES_MAX }) as SeenRelease[]
}
