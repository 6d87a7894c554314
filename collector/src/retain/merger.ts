import { freeMemory } from '@loopkit/shared/otlp/free-memory'
import { decodeCommits, encodeCommits } from '@loopkit/shared/segment/header'
import { createSegmentPacker, SegmentError, type SegmentPacker, unpackSegment } from '@loopkit/shared/segment/pack-segment'
import { packTraceHashes } from '@loopkit/shared/segment/trace-hashes'
import { chooseMerge, type MergeCandidate, type MergeChoice } from './choose-merge.ts'
import { dropReplaced, joinContents, type SegmentContent } from './join-segments.ts'
import type { RetainedStore } from './retained-store.ts'
import type { StoredBytes } from './stored-bytes.ts'
import { createRunWriter, prepareRun, type RunWriter, SET_FOLDED_TO, segmentEntries } from './write-run.ts'

/** Joins small segments in the background. Commits keep their numbers, and no other row names a segment. */
export interface Merger {
  /** Looks at one project and joins at most once: 'idle' when it has been at all of them and found nothing to do. */
  mergeNext(nowMs: number): Merged | 'nothing' | 'idle'
}

export interface Merged {
  segments: number
  bytesBefore: number
  bytesAfter: number
  /** Why these were left as they are. */
  failure: string | null
}

/** 46 to 36 bytes a span on the demo capture for 1.4 µs; level 6 was not worth its time. */
const LEVEL = 3
/** A single commit larger than this is not compressed again: it would have to be held in memory for little. */
const RECOMPRESSED_MAX_BYTES = 8 * 1024 ** 2
/** Compressing a single commit again must gain at least this share, or writing it is for nothing. */
const GAIN_MIN = 0.05

interface Place {
  projectNo: number
  kind: 'span' | 'log'
}

/** In a row whose traces a run has. */
const NO_HASHES = new Uint8Array(0)

const FIRST: Place = { projectNo: 0, kind: 'span' }

export function createMerger(store: RetainedStore, storedBytes: StoredBytes): Merger {
  const { write } = store
  const statements = prepareStatements(store)
  const places = createPlaces(statements)
  const runs = createRunWriter(store.db)
  const pack = createSegmentPacker(LEVEL)

  function settle(place: Place, join: readonly MergeCandidate[]): void {
    statements.settle.run({ ...place, nextCommit: join.at(-1)!.lastCommit + 1 })
  }

  function merge(place: Place, { join, isFinal }: MergeChoice): Merged {
    const bytesBefore = join.reduce((sum, { storedBytes: bytes }) => sum + bytes, 0)
    const unchanged = { segments: 0, bytesBefore, bytesAfter: bytesBefore, failure: null }
    const [only] = join
    const isAlone = join.length === 1
    const isDone = isAlone && (only!.firstCommit !== only!.lastCommit || only!.bodyBytes > RECOMPRESSED_MAX_BYTES)
    const load = ({ segmentId }: MergeCandidate) => statements.load.get(segmentId) as SegmentRow
    const joined = isDone ? null : { ...joinRows(place, join.map(load), pack), firstCommit: only!.firstCommit }
    const bytesAfter = joined ? joined.body.length + joined.hashes.length : bytesBefore
    if (!joined || (isAlone && bytesAfter > bytesBefore * (1 - GAIN_MIN))) {
      write(() => settle(place, join))
      return unchanged
    }
    const { lastCommit } = join.at(-1)!
    const fold = isFinal ? prepareFold(statements, runs, { place, joined, nextCommit: lastCommit + 1 }) : null
    write(() => {
      // First the new row: ids of rows that are gone must not be given again.
      statements.insert.run({ ...place, ...joined, lastCommit, hashes: fold ? NO_HASHES : joined.hashes })
      for (const { segmentId } of join) statements.remove.run(segmentId)
      if (isFinal) settle(place, join)
      fold?.()
    })
    for (const { segmentId, storedBytes: bytes } of join) storedBytes.noteRemoved(segmentId, bytes)
    return { segments: join.length, bytesBefore, bytesAfter, failure: null }
  }

  return {
    mergeNext(nowMs) {
      const place = places.next()
      if (place === null) return 'idle'
      const candidates = statements.candidates.all(place) as MergeCandidate[]
      const choice = chooseMerge(candidates, nowMs)
      if (choice === null) return 'nothing'
      places.noteWork()
      try {
        return merge(place, choice)
      } catch (error) {
        if (!(error instanceof SegmentError)) throw error
        write(() => settle(place, choice.join))
        return { segments: 0, bytesBefore: 0, bytesAfter: 0, failure: error.message }
      }
    },
  }
}

/** What folds the traces of a segment that stays as it is, or null where others before it are not folded yet. */
function prepareFold(
  statements: Statements,
  runs: RunWriter,
  { place, joined, nextCommit }: { place: Place; joined: JoinedRow; nextCommit: number },
): (() => void) | null {
  if (statements.isBehind.get(place) === 1) return null
  const insert = prepareRun(runs, place, [joined.firstCommit], segmentEntries(joined.hashes, 0))
  return () => {
    insert()
    statements.setFoldedTo.run({ ...place, nextCommit })
  }
}

type Statements = ReturnType<typeof prepareStatements>

/** Projects and kinds in turn. */
function createPlaces({ nextPlace }: Statements) {
  let last = FIRST
  let didWork = false
  const behindLast = () => nextPlace.get(last) as Place | undefined
  return {
    /** null: a whole round found nothing. The next call starts another one. */
    next(): Place | null {
      let next = behindLast()
      if (!next) {
        const isIdle = !didWork
        didWork = false
        last = FIRST
        if (isIdle) return null
        next = behindLast()
      }
      last = next ?? FIRST
      return next ?? null
    },
    noteWork() {
      didWork = true
    },
  }
}

type JoinedRow = ReturnType<typeof joinRows> & { firstCommit: number }

interface SegmentRow {
  commits: Uint8Array
  trace_hashes: Uint8Array
  body: Uint8Array
  body_bytes: number
  records: number
}

function joinRows({ kind }: Place, rows: readonly SegmentRow[], pack: SegmentPacker) {
  const contents = rows.map((row): SegmentContent => ({ commits: commitsOf(row), body: unpackSegment(row.body, row.body_bytes) }))
  const whole = joinContents(contents)
  const { body, commits } = kind === 'span' ? dropReplaced(whole) : whole
  const hashes = Buffer.concat(rows.map(({ trace_hashes }) => trace_hashes))
  const packed = { body: pack([body]), bodyBytes: body.length }
  for (const one of [...contents, whole, { body }]) freeMemory(one.body)
  return {
    commits: encodeCommits(commits),
    records: rows.reduce((sum, { records }) => sum + records, 0),
    receivedMinMs: Math.min(...commits.map(({ receivedMs }) => receivedMs)),
    receivedMaxMs: Math.max(...commits.map(({ receivedMs }) => receivedMs)),
    eventMinMs: Math.min(...commits.map(({ eventMinMs }) => eventMinMs)),
    eventMaxMs: Math.max(...commits.map(({ eventMaxMs }) => eventMaxMs)),
    hashes: packTraceHashes(new BigUint64Array(new Uint8Array(hashes).buffer)),
    ...packed,
  }
}

/** A header of the version without `accepted` has one commit, whose accepted records are the row's. */
function commitsOf({ commits, records }: SegmentRow) {
  const decoded = decodeCommits(commits)
  return decoded.length === 1 ? [{ ...decoded[0]!, accepted: records }] : decoded
}

/** Segments of a project looked at: where there are more, the oldest are joined first. */
const CANDIDATES_MAX = 256

function prepareStatements({ db }: RetainedStore) {
  return {
    nextPlace: db.prepare(`
      select project_no as projectNo, kind from segment
      where project_no > 0 and (project_no > @projectNo or (project_no = @projectNo and kind > @kind))
      order by project_no, kind limit 1`),
    candidates: db.prepare(`
      select segment_id as segmentId, first_commit as firstCommit, last_commit as lastCommit, records, body_bytes as bodyBytes,
        length(body) + length(trace_hashes) as storedBytes, received_min_ms as receivedMinMs, received_max_ms as receivedMaxMs
      from segment where project_no = @projectNo and kind = @kind and first_commit >=
        coalesce((select next_commit from merged where project_no = @projectNo and kind = @kind), 0)
      order by first_commit limit ${CANDIDATES_MAX}`),
    load: db.prepare('select commits, trace_hashes, body, body_bytes, records from segment where segment_id = ?'),
    insert: db.prepare(`
      insert into segment (project_no, kind, first_commit, last_commit, commits, records, received_min_ms, received_max_ms,
                           event_min_ms, event_max_ms, trace_hashes, body, body_bytes)
      values (@projectNo, @kind, @firstCommit, @lastCommit, @commits, @records, @receivedMinMs, @receivedMaxMs,
              @eventMinMs, @eventMaxMs, @hashes, @body, @bodyBytes)`),
    remove: db.prepare('delete from segment where segment_id = ?'),
    isBehind: db
      .prepare(`
        select coalesce((select next_commit from folded where project_no = @projectNo and kind = @kind), 0) <
          coalesce((select next_commit from merged where project_no = @projectNo and kind = @kind), 0)`)
      .pluck(),
    setFoldedTo: db.prepare(SET_FOLDED_TO),
    settle: db.prepare(`
      insert into merged (project_no, kind, next_commit) values (@projectNo, @kind, @nextCommit)
      on conflict do update set next_commit = excluded.next_commit`),
  }
}
