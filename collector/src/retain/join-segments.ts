import { rewriteTraces } from '@loopkit/shared/otlp/rewrite-traces'
import { scanTraces, type TraceScan } from '@loopkit/shared/otlp/scan-traces'
import { createCommitOfRow, type SegmentCommit } from '@loopkit/shared/segment/header'
import { SegmentError } from '@loopkit/shared/segment/pack-segment'

/** What a segment holds: a request, and the commits that its records came with. */
export interface SegmentContent {
  body: Uint8Array
  commits: SegmentCommit[]
}

/** Stored bodies were checked at the door with their sender's limit; none deeper than this can be in the store. */
const STORED_DEPTH_MAX = 1024
const SPAN_KEY_BYTES = 24

/** One request of several, in order. Records of another kind than spans are only put together. */
export function joinContents(contents: readonly SegmentContent[]): SegmentContent {
  return {
    body: contents.length === 1 ? contents[0]!.body : Buffer.concat(contents.map(({ body }) => body)),
    commits: contents.flatMap(({ commits }) => commits),
  }
}

/**
 * The same without the unended spans that an ended one of the same id has replaced, which no reader shows. Throws
 * `SegmentError` where the body does not hold what its commits say.
 */
export function dropReplaced(content: SegmentContent): SegmentContent {
  const { body, commits } = content
  const scan = scanTraces(body, { anyValueDepthMax: STORED_DEPTH_MAX })
  if (scan.count !== commits.reduce((sum, { records }) => sum + records, 0))
    throw new SegmentError('damaged', `a segment of ${scan.count} spans whose commits say otherwise`)
  const drop = replacedRows(body, scan)
  if (drop === null) return content
  const commitOf = createCommitOfRow(commits)
  const dropped = new Map<SegmentCommit, number>()
  for (let row = 0; row < scan.count; row++)
    if (drop[row] === 1) dropped.set(commitOf(row), (dropped.get(commitOf(row)) ?? 0) + 1)
  return {
    body: rewriteTraces(body, scan, drop),
    commits: commits.map((commit) => ({ ...commit, records: commit.records - (dropped.get(commit) ?? 0) })),
  }
}

function replacedRows(body: Uint8Array, scan: TraceScan): Uint8Array | null {
  // Bit patterns of both halves, so that no bigint is made for each span.
  const words = new Uint32Array(scan.endNano.buffer, scan.endNano.byteOffset, scan.count * 2)
  const hasEnded = (row: number) => words[row * 2] !== 0 || words[row * 2 + 1] !== 0
  const unended = new Map<string, number>()
  for (let row = 0; row < scan.count; row++) if (!hasEnded(row)) unended.set(keyOf(body, scan, row), row)
  if (unended.size === 0) return null
  let drop: Uint8Array | null = null
  for (let row = 0; row < scan.count; row++) {
    const replaced = hasEnded(row) ? unended.get(keyOf(body, scan, row)) : undefined
    if (replaced === undefined) continue
    drop ??= new Uint8Array(scan.count)
    drop[replaced] = 1
  }
  return drop
}

function keyOf(body: Uint8Array, scan: TraceScan, row: number): string {
  const key = Buffer.allocUnsafe(SPAN_KEY_BYTES)
  key.set(body.subarray(scan.traceIdAt[row]!, scan.traceIdAt[row]! + 16))
  key.set(body.subarray(scan.spanIdAt[row]!, scan.spanIdAt[row]! + 8), 16)
  return key.toString('latin1')
}
