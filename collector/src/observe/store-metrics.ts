import type { MetricRegistry } from '@loopkit/shared/runtime/metric-registry'
import type { Backlog } from '../decide/decider.ts'
import type { DecideReport } from '../decide/messages.ts'
import type { RetainReport } from '../retain/messages.ts'
import type { CommitTimings, WriterReply } from '../write/messages.ts'

/** What is read at each scrape; none of it may wait for the disk. */
export interface StoreSources {
  queueSpans(): number
  queueMaxSpans: number
  inFlightBytes(): number
  inFlightMaxBytes: number
  diskBytes(): number
  freeBytes(): number
  walBytes(): number
  isWalHeld(): boolean
  isDiskFull(): boolean
  isReady(): boolean
}

/** What became of accepted spans: commits, decisions, housekeeping. */
export interface StoreMetrics {
  observeGroup(reply: WriterReply, spans: number, waitedMs: number): void
  countNotEnqueued(spans: number): void
  countDecided(report: DecideReport): void
  countHousekeeping(report: RetainReport): void
}

const COMMIT_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5]
const COMMIT_SPANS = [1, 10, 100, 500, 1000, 5000, 20_000]
/** In the Collector's words the store is an exporter with a queue before it. */
const EXPORTER = { exporter: 'loopkit' } as const
const QUEUE = [{ ...EXPORTER, data_type: 'traces' }] as const

export function addStoreMetrics(metrics: MetricRegistry, sources: StoreSources): StoreMetrics {
  addStateMetrics(metrics, sources)
  return { ...addCommitMetrics(metrics, sources), ...addDecideMetrics(metrics), ...addRetainMetrics(metrics) }
}

function addStateMetrics(metrics: MetricRegistry, sources: StoreSources): void {
  const gauge = (name: string, unit: string, help: string, read: () => number) => metrics.gauge({ name, unit, help }, read)
  gauge('loopkit_ready', '1', '1 while /readyz answers 200', () => Number(sources.isReady()))
  gauge('loopkit_in_flight_bytes', 'By', 'Bytes of bodies under way', sources.inFlightBytes)
  gauge(
    'loopkit_in_flight_max_bytes',
    'By',
    'Bytes of bodies under way beyond which requests are refused',
    () => sources.inFlightMaxBytes,
  )
  gauge('loopkit_disk_bytes', 'By', 'Bytes of telemetry.db and its log', sources.diskBytes)
  gauge('loopkit_disk_free_bytes', 'By', 'Bytes free where the data folder lies', sources.freeBytes)
  gauge('loopkit_disk_full', '1', '1 while spans are refused because the disk is full', () => Number(sources.isDiskFull()))
  gauge('loopkit_wal_bytes', 'By', 'Bytes of the write-ahead log of telemetry.db', sources.walBytes)
  gauge('loopkit_wal_held', '1', '1 while a reader that does not end keeps the log from being emptied', () =>
    Number(sources.isWalHeld()),
  )
}

function addCommitMetrics(
  metrics: MetricRegistry,
  sources: StoreSources,
): Pick<StoreMetrics, 'observeGroup' | 'countNotEnqueued'> {
  const labels = ['exporter', 'data_type'] as const
  const counter = (name: string, help: string) => {
    const made = metrics.counter({ name, help, unit: '{span}', labels: ['exporter'] })
    made.inc(EXPORTER, 0)
    return made
  }
  metrics.gauge({ name: 'otelcol_exporter_queue_size', help: 'Spans that wait for their commit', unit: '{span}', labels }, () => [
    [QUEUE[0], sources.queueSpans()],
  ])
  metrics.gauge(
    { name: 'otelcol_exporter_queue_capacity', help: 'Spans that may wait before requests are refused', unit: '{span}', labels },
    () => [[QUEUE[0], sources.queueMaxSpans]],
  )
  const sent = counter('otelcol_exporter_sent_spans', 'Spans that are on disk')
  const failed = counter('otelcol_exporter_send_failed_spans', 'Spans of commits that failed; their senders were told')
  const notEnqueued = counter('otelcol_exporter_enqueue_failed_spans', 'Spans that found no place among those that wait')
  const durations = metrics.histogram({
    name: 'loopkit_commit_duration_seconds',
    help: 'Time of one commit, from handing it to the writer to its answer',
    unit: 's',
    labels: ['outcome'],
    buckets: COMMIT_SECONDS,
  })
  const stages = metrics.histogram({
    name: 'loopkit_commit_stage_seconds',
    help: 'Time of the parts of a commit: `read` redacts, indexes and packs, `write` writes rows, `sync` waits for the disk (fsync)',
    unit: 's',
    labels: ['stage'],
    buckets: COMMIT_SECONDS,
  })
  const sizes = metrics.histogram({
    name: 'loopkit_commit_spans',
    help: 'Spans of one commit',
    unit: '{span}',
    buckets: COMMIT_SPANS,
  })
  return {
    countNotEnqueued: (spans) => notEnqueued.inc(EXPORTER, spans),
    observeGroup(reply, spans, waitedMs) {
      const isDone = reply.kind === 'committed'
      durations.observe({ outcome: isDone ? 'committed' : 'failed' }, waitedMs / 1000)
      if (spans > 0) sizes.observe(spans)
      if (isDone) for (const [stage, ms] of stagesOf(reply.timings)) stages.observe({ stage }, ms / 1000)
      const counted = isDone ? sent : failed
      counted.inc(EXPORTER, spans)
    },
  }
}

function stagesOf({ readMs, writeMs, syncMs }: CommitTimings): [stage: string, ms: number][] {
  return [
    ['read', readMs],
    ['write', writeMs],
    ['sync', syncMs],
  ]
}

function addDecideMetrics(metrics: MetricRegistry): Pick<StoreMetrics, 'countDecided'> {
  const decided = metrics.counter({ name: 'loopkit_decided_traces_total', help: 'Traces decided', unit: '{trace}' })
  const failures = metrics.counter({
    name: 'loopkit_decide_failures_total',
    help: 'Turns of deciding or housekeeping that failed; they are tried again',
    unit: '{turn}',
    labels: ['code'],
  })
  let backlog: Backlog = { undecided: 0, oldestMs: null, cappedProjects: 0 }
  metrics.gauge(
    { name: 'loopkit_undecided_traces', help: 'Traces that wait to be decided, most of them for quiet', unit: '{trace}' },
    () => backlog.undecided,
  )
  metrics.gauge(
    { name: 'loopkit_undecided_oldest_seconds', help: 'Age of the trace that has waited longest to be decided', unit: 's' },
    () => (backlog.oldestMs ?? 0) / 1000,
  )
  metrics.gauge(
    {
      name: 'loopkit_fingerprint_capped_projects',
      help: 'Projects with more distinct failures than are told apart: further ones count as one',
      unit: '{project}',
    },
    () => backlog.cappedProjects,
  )
  return {
    countDecided(report) {
      if (report.kind === 'backlog') backlog = report
      if (report.kind === 'decided') decided.inc(report.hashes.length)
      if (report.kind === 'failed') failures.inc({ code: report.code })
    },
  }
}

function addRetainMetrics(metrics: MetricRegistry): Pick<StoreMetrics, 'countHousekeeping'> {
  const rows = metrics.counter({
    name: 'loopkit_retention_removed_rows_total',
    help: 'Rows removed because they are kept no longer',
    unit: '{row}',
    labels: ['table'],
  })
  const bytes = metrics.counter({
    name: 'loopkit_retention_removed_bytes_total',
    help: 'Bytes of segments removed because they are kept no longer',
    unit: 'By',
  })
  let longestStepMs = 0
  metrics.gauge(
    {
      name: 'loopkit_retention_longest_step_seconds',
      help: 'Longest lock that the last pass that removed something took',
      unit: 's',
    },
    () => longestStepMs / 1000,
  )
  const merged = metrics.counter({
    name: 'loopkit_merged_segments_total',
    help: 'Segments joined with others',
    unit: '{segment}',
  })
  const saved = metrics.counter({ name: 'loopkit_merge_saved_bytes_total', help: 'Bytes saved by joining segments', unit: 'By' })
  return {
    countHousekeeping(report) {
      if (report.kind === 'retained') {
        for (const [table, count] of Object.entries(report.removed)) rows.inc({ table }, count)
        bytes.inc(report.bytes)
        longestStepMs = report.longestStepMs
      }
      if (report.kind === 'merged') {
        merged.inc(report.segments)
        saved.inc(Math.max(0, report.bytesBefore - report.bytesAfter))
      }
    },
  }
}
