import type { Logger } from '@loopkit/shared/runtime/log'
import type { InFlight } from '../admit/in-flight.ts'
import type { PipelineObserver } from '../admit/pipeline.ts'
import { createRejectionLog, type RejectionLog } from '../admit/rejection-log.ts'
import type { DecideReport } from '../decide/messages.ts'
import type { Signal, Transport } from '../receive/outcome.ts'
import type { Housekeeping } from '../retain/housekeeping.ts'
import type { WriterReply } from '../write/messages.ts'
import { diskBytes, freeBytes, walBytes } from './disk-use.ts'
import { createMetrics } from './metrics.ts'
import { createSummary } from './summary.ts'

/** Everything that is told about the collector's own work: metrics, the summary line, debug lines per batch. */
export interface Observer extends PipelineObserver {
  rejectionLog: RejectionLog
  onRefused(transport: Transport, signal: Signal, code: string): void
  onAnswered(ms: number): void
  onGroup(reply: WriterReply, spans: number, waitedMs: number): void
  onDecided(report: DecideReport): void
  writeSummary(): void
  metricsText(): Promise<{ contentType: string; text: string }>
}

export interface ObserverDeps {
  dataDir: string
  log: Logger
  random(): number
  queueSpans(): number
  inFlight: InFlight
  housekeeping: Housekeeping
}

export function createObserver({ dataDir, log, random, queueSpans, inFlight, housekeeping }: ObserverDeps): Observer {
  const summary = createSummary(random)
  const rejectionLog = createRejectionLog()
  const metrics = createMetrics({
    queueSpans,
    inFlightBytes: inFlight.bytes,
    diskBytes: () => diskBytes(dataDir),
    freeBytes: () => freeBytes(dataDir),
    walBytes: () => walBytes(dataDir),
    isWalHeld: housekeeping.isLogHeld,
    isDiskFull: housekeeping.isDiskFull,
  })
  return {
    rejectionLog,
    onSpans(transport, newSpans, counts) {
      metrics.accepted.inc({ transport }, newSpans)
      summary.noteAccepted(newSpans)
      if (counts.size === 0) return
      summary.noteCounts(counts)
      for (const [what, count] of counts) {
        metrics.spans.inc({ what }, count)
        if (what.startsWith('rejected:')) metrics.refused.inc({ transport }, count)
      }
    },
    onNotKept(signal, records) {
      summary.noteNotKept(signal, records)
      metrics.notKept.inc({ signal }, records)
    },
    onRefused(transport, signal, code) {
      summary.noteRefused(code)
      metrics.refusedRequests.inc({ signal, code })
      log.debug({ code: `${transport}.refused`, signal, reason: code }, 'a request was refused')
    },
    onAnswered: summary.noteAcknowledged,
    onGroup(reply, spans, waitedMs) {
      metrics.commits.observe(waitedMs / 1000)
      logGroup(log, reply, spans, waitedMs)
    },
    onDecided(report) {
      if (report.kind === 'decided') metrics.decided.inc(report.hashes.length)
      logDecided(log, report)
    },
    writeSummary() {
      const rejections = rejectionLog.drain()
      const state = { queue_spans: queueSpans(), in_flight_bytes: inFlight.bytes() }
      const disk = { disk_bytes: diskBytes(dataDir), free_bytes: freeBytes(dataDir) }
      const refused = rejections.length > 0 ? { rejections } : {}
      log.info({ code: 'ingest.summary', ...summary.drain(), ...state, ...disk, ...refused }, 'ingest')
    },
    metricsText: metrics.text,
  }
}

function logGroup(log: Logger, reply: WriterReply, spans: number, waitedMs: number): void {
  if (reply.kind === 'failed') log.debug({ code: 'commit.failed', reason: reply.code, spans, waited_ms: waitedMs }, reply.message)
  if (reply.kind !== 'committed') return
  log.debug({ code: 'commit.done', commit: reply.commit, spans, waited_ms: waitedMs }, 'spans stored')
  if (reply.failure !== null)
    log.error({ code: 'commit.unreadable', bodies: reply.failed.length, failure: reply.failure }, 'bodies could not be read')
}

function logDecided(log: Logger, report: DecideReport): void {
  if (report.kind === 'failed')
    log.warn({ code: 'decide.failed', reason: report.code, detail: report.message }, 'traces were not decided')
  if (report.kind === 'decided') log.debug({ code: 'decide.done', traces: report.hashes.length }, 'traces decided')
}
