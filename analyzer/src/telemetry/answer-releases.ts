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
    `select service, release, first_seen_ms as firstSeenMs from (
       select *, row_number() over (partition by service order by first_seen_ms, release_no) as turn from release where project_no = ?)
     where turn > 1 order by first_seen_ms desc, release_no desc limit ?`,
  )
  return rows.all(projectNo, RELEASES_MAX) as SeenRelease[]
}
