import { SegmentError } from './pack-segment.ts'

/**
 * What one commit put into a segment, whose records lie in the order of its commits: `records` says how many of them are this
 * commit's. Times are milliseconds since the epoch.
 */
export interface SegmentCommit {
  number: number
  receivedMs: number
  /** Records of the commit that the body holds; a merge leaves out those that a later one has replaced. */
  records: number
  /** Records that were stored with the commit for the first time; they count where they came, whatever replaced them. */
  accepted: number
  eventMinMs: number
  eventMaxMs: number
}

const VERSION = 2
/** Had no `accepted`: what lay in the body counted. */
const VERSION_WITHOUT_ACCEPTED = 1

/**
 * A segment's list of commits in few bytes, since a merged segment has hundreds: a version, then each field as the
 * difference from the commit before, zigzag, in base 128. Fields are safe integers.
 */
export function encodeCommits(commits: readonly SegmentCommit[]): Uint8Array {
  const bytes: number[] = [VERSION]
  let before: SegmentCommit = START
  for (const commit of commits) {
    for (const value of differences(commit, before)) pushZigzag(bytes, value)
    before = commit
  }
  return Uint8Array.from(bytes)
}

/** Throws `SegmentError` where the bytes are no list of commits of this version. */
export function decodeCommits(bytes: Uint8Array): SegmentCommit[] {
  const hasAccepted = bytes[0] === VERSION
  if (!hasAccepted && bytes[0] !== VERSION_WITHOUT_ACCEPTED)
    throw new SegmentError('damaged', `unknown version of a segment header: ${bytes[0]}`)
  const commits: SegmentCommit[] = []
  let before: SegmentCommit = START
  let at = 1
  const next = (): number => {
    let end = at
    while (end < bytes.length && bytes[end]! >= 0x80) end++
    if (end === bytes.length) throw new SegmentError('damaged', 'a segment header that is cut off')
    const value = readZigzag(bytes, at, end)
    at = end + 1
    return value
  }
  while (at < bytes.length) {
    const number = before.number + next()
    const receivedMs = before.receivedMs + next()
    const records = next()
    const accepted = hasAccepted ? records - next() : records
    const eventMinMs = before.eventMinMs + next()
    before = { number, receivedMs, records, accepted, eventMinMs, eventMaxMs: eventMinMs + next() }
    commits.push(before)
  }
  return commits
}

/** Which commit brought the record at a row of the body. A row beyond the last is the last commit's. */
export function createCommitOfRow(commits: readonly SegmentCommit[]): (row: number) => SegmentCommit {
  const ends = new Float64Array(commits.length)
  let end = 0
  for (let i = 0; i < commits.length; i++) {
    end += commits[i]!.records
    ends[i] = end
  }
  return (row) => {
    let from = 0
    let to = commits.length - 1
    while (from < to) {
      const middle = (from + to) >>> 1
      if (row < ends[middle]!) to = middle
      else from = middle + 1
    }
    return commits[from]!
  }
}

const START: SegmentCommit = { number: 0, receivedMs: 0, records: 0, accepted: 0, eventMinMs: 0, eventMaxMs: 0 }

function differences(commit: SegmentCommit, before: SegmentCommit): number[] {
  return [
    commit.number - before.number,
    commit.receivedMs - before.receivedMs,
    commit.records,
    commit.records - commit.accepted,
    commit.eventMinMs - before.eventMinMs,
    commit.eventMaxMs - commit.eventMinMs,
  ]
}

function pushZigzag(bytes: number[], value: number): void {
  let rest = value < 0 ? -value * 2 - 1 : value * 2
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80)
  bytes.push(rest)
}

function readZigzag(bytes: Uint8Array, at: number, end: number): number {
  let value = 0
  for (let p = end; p >= at; p--) value = value * 128 + (bytes[p]! & 0x7f)
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2
}
