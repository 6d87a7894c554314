/** Minutes of arrival in which the first runs of a release are looked for. */
const ARRIVAL_MINUTES = 2
/** Older events, in minutes before their arrival, are a wrong clock: thirty days. */
const BACKFILL_MINUTES_MAX = 43_200

/**
 * SQL for when a row of `release` began, in ms: its first event among those that arrived first, so that backfilled versions stand
 * in the order in which they shipped and not in which they were sent; else its first arrival.
 */
export const RELEASE_BEGAN_MS = `min(release.first_seen_ms, coalesce(60000 * (
  select min(c.event_minute) from run_count c
  where c.project_no = release.project_no and c.release_no = release.release_no
    and c.received_minute >= release.first_seen_ms / 60000 and c.received_minute < release.first_seen_ms / 60000 + ${ARRIVAL_MINUTES}
    and c.event_minute >= release.first_seen_ms / 60000 - ${BACKFILL_MINUTES_MAX}), release.first_seen_ms))`
