/** Where a record stands to a change; the minute of the change belongs to neither side. */
export type ChangeSide = 'before' | 'after' | 'neither'

export interface SeenVersion {
  releaseNo: number
  release: string
  /** First arrival, and first event. */
  firstSeenMs: number
  beganMs: number
}

export interface ChangeMoment {
  version: string | null
  shippedAtMs: number
}

/** A record as far as it says where it stands; `releaseNo` is that of its service's version, if it carries one. */
export interface PlacedRecord {
  eventMinute: number
  releaseNo: number
}

const MINUTE_MS = 60_000

/**
 * Judges records by themselves: by their own version where they carry one of the changed service, else by event time. `versions` are
 * those of that service; none where the change names no version.
 */
export function createSideOf(change: ChangeMoment, versions: readonly SeenVersion[]): (record: PlacedRecord) => ChangeSide {
  const { version, shippedAtMs } = change
  const shippedMinute = Math.floor(shippedAtMs / MINUTE_MS)
  const byTime = ({ eventMinute }: PlacedRecord): ChangeSide =>
    eventMinute === shippedMinute ? 'neither' : eventMinute < shippedMinute ? 'before' : 'after'
  if (version === null) return byTime
  const shipped = versions.find(({ release }) => release === version)
  if (!shipped) {
    const known = new Set(versions.map(({ releaseNo }) => releaseNo))
    return (record) => (known.has(record.releaseNo) ? 'before' : byTime(record))
  }
  const own = versions.map((one) => [one.releaseNo, one] as const)
  if (isRollback(change, shipped, versions)) {
    // What it did before it was replaced is no part of the comparison with what replaced it.
    const sinceThen = (record: PlacedRecord): ChangeSide => (byTime(record) === 'after' ? 'after' : 'neither')
    const known = new Map(own)
    return (record) => {
      const one = known.get(record.releaseNo)
      if (!one) return byTime(record)
      return one === shipped ? sinceThen(record) : isLater(one, shippedAtMs) ? 'after' : 'before'
    }
  }
  const side = new Map<number, ChangeSide>(own.map(([no, one]) => [no, isNewer(one, shipped) ? 'after' : 'before']))
  side.set(shipped.releaseNo, 'after')
  return (record) => side.get(record.releaseNo) ?? byTime(record)
}

/** It was there before, and another one has been there since: it came back. */
function isRollback({ shippedAtMs }: ChangeMoment, shipped: SeenVersion, versions: readonly SeenVersion[]): boolean {
  return versions.some((one) => isNewer(one, shipped) && one.beganMs < shippedAtMs)
}

/** What arrived within so long of each other tells nothing by its arrival: days that are sent in a minute come in any order. */
const SAME_ARRIVAL_MS = 60 * MINUTE_MS

/**
 * Newer by event and by arrival: neither a backfilled old version nor one whose clock is wrong is taken for a successor. Where both
 * arrived together, by event and, where they are numbered, not by a lower number.
 */
function isNewer(one: SeenVersion, shipped: SeenVersion): boolean {
  if (one.beganMs <= shipped.beganMs) return false
  const isTogether = Math.abs(one.firstSeenMs - shipped.firstSeenMs) < SAME_ARRIVAL_MS
  return isTogether ? !hasLowerNumber(one.release, shipped.release) : one.firstSeenMs > shipped.firstSeenMs
}

/** 1.9 is lower than 1.10; of names that differ in more than their numbers none is. */
function hasLowerNumber(one: string, other: string): boolean {
  const shape = (release: string) => release.replaceAll(/\d+/g, '#')
  if (shape(one) !== shape(other)) return false
  const numbers = (release: string) => (release.match(/\d+/g) ?? []).map(Number)
  const others = numbers(other)
  const differing = numbers(one).findIndex((number, at) => number !== others[at])
  return differing >= 0 && numbers(one)[differing]! < others[differing]!
}

function isLater({ beganMs, firstSeenMs }: SeenVersion, atMs: number): boolean {
  return beganMs > atMs && firstSeenMs > atMs
}
