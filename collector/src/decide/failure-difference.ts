/** A decided failure as rows name it. */
export interface FailureRow {
  /** Signed 64-bit. */
  spanId: bigint
  fingerprintNo: number
  sessionNo: number
  releaseNo: number
  eventMs: number
  weight: number
  /** JSON list. */
  services: string
  endedTrace: boolean
}

export interface StoredFailureRow extends FailureRow {
  failureNo: number
  decidedMs: number
}

/** One signed row of counts: a correction takes back what was counted where it was counted. */
export interface CountDelta {
  fingerprintNo: number
  releaseNo: number
  eventMinute: number
  failures: number
  weight: number
  weightSquared: number
}

export interface FailureDifference {
  removed: StoredFailureRow[]
  added: FailureRow[]
  counts: CountDelta[]
}

const MINUTE_MS = 60_000

/** What must be written so that `before` becomes `after`. Equal judgements leave nothing to write. */
export function differ(before: readonly StoredFailureRow[], after: readonly FailureRow[]): FailureDifference {
  const wanted = new Map(after.map((row) => [keyOf(row), row]))
  const kept = new Set<string>()
  const removed = before.filter((row) => {
    const same = wanted.get(keyOf(row))
    if (!same || !isEqual(row, same)) return true
    kept.add(keyOf(row))
    return false
  })
  const added = [...wanted].filter(([key]) => !kept.has(key)).map(([, row]) => row)
  return { removed, added, counts: sumCounts(removed, added) }
}

function keyOf({ spanId, fingerprintNo }: FailureRow): string {
  return `${spanId} ${fingerprintNo}`
}

function isEqual(a: FailureRow, b: FailureRow): boolean {
  return (
    a.sessionNo === b.sessionNo &&
    a.releaseNo === b.releaseNo &&
    a.eventMs === b.eventMs &&
    a.weight === b.weight &&
    a.services === b.services &&
    a.endedTrace === b.endedTrace
  )
}

function sumCounts(removed: readonly FailureRow[], added: readonly FailureRow[]): CountDelta[] {
  const counts = new Map<string, CountDelta>()
  const add = ({ fingerprintNo, releaseNo, eventMs, weight }: FailureRow, sign: 1 | -1) => {
    const eventMinute = Math.floor(eventMs / MINUTE_MS)
    const key = `${fingerprintNo} ${releaseNo} ${eventMinute}`
    let delta = counts.get(key)
    if (!delta) {
      delta = { fingerprintNo, releaseNo, eventMinute, failures: 0, weight: 0, weightSquared: 0 }
      counts.set(key, delta)
    }
    delta.failures += sign
    delta.weight += sign * weight
    delta.weightSquared += sign * weight * weight
  }
  for (const row of removed) add(row, -1)
  for (const row of added) add(row, 1)
  return [...counts.values()].filter(({ failures, weight }) => failures !== 0 || weight !== 0)
}
