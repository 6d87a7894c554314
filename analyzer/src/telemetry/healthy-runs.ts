import { toIndexText } from '@loopkit/shared/database/telemetry/index-text'
import { encodeRecordId } from '@loopkit/shared/span/record-id'
import { windowBoundsMs } from '../domain/window.ts'
import { JUDGE_FILTER, toTraceSpan } from './judge-span.ts'
import type { PainQuestion, RankedPain } from './pain-question.ts'
import { type SegmentRow, spansOfSegment } from './read-spans.ts'
import type { TelemetryConnection } from './telemetry-file.ts'

/** Newest segments and spans looked through for healthy runs: a bounded look, not a search. */
const SEGMENTS_MAX = 12
const SPANS_MAX = 20_000
/** Healthy runs named for one pain. */
const RUNS_MAX = 3

/** Healthy records of the operations that these pains fail in, from the newest segments of the window, by fingerprint. */
export function findHealthyRuns(
  { db }: TelemetryConnection,
  { projectNo, window, off }: Pick<PainQuestion, 'projectNo' | 'window' | 'off'>,
  pains: readonly RankedPain[],
): Map<string, string[]> {
  const nameOf = (service: string, operation: string) => JSON.stringify([service, operation])
  const wanted = new Map(pains.map(({ service, operation }) => [nameOf(service, operation), [] as string[]]))
  const { fromMs, toMs } = windowBoundsMs(window)
  const newest = db.prepare(
    `select kind, body, body_bytes, commits from segment
     where project_no = ? and kind = 'span' and received_max_ms >= ? and received_min_ms < ? order by first_commit desc limit ?`,
  )
  const isOff = new Set(off)
  let spans = 0
  let missing = wanted.size
  for (const row of newest.iterate(projectNo, fromMs, toMs, SEGMENTS_MAX) as Iterable<SegmentRow>) {
    if (missing === 0 || spans >= SPANS_MAX) break
    for (const { ctx } of spansOfSegment(row, JUDGE_FILTER)) {
      if (++spans > SPANS_MAX || missing === 0) break
      const { span, view, detection } = toTraceSpan(ctx, isOff)
      const runs =
        detection === null && span.endUnixNano !== 0n
          ? wanted.get(nameOf(toIndexText(view.service), toIndexText(view.operation)))
          : undefined
      if (!runs || runs.length === RUNS_MAX) continue
      runs.push(encodeRecordId(span.traceId, span.spanId))
      if (runs.length === RUNS_MAX) missing -= 1
    }
  }
  return new Map(pains.map(({ fingerprint, service, operation }) => [fingerprint, wanted.get(nameOf(service, operation)) ?? []]))
}
