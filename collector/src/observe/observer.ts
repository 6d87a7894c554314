import { droppedLines, type Logger } from '@loopkit/shared/runtime/log'
import type { MetricsText } from '@loopkit/shared/runtime/metric-registry'
import type { InFlight } from '../admit/in-flight.ts'
import type { PipelineObserver } from '../admit/pipeline.ts'
import { createRejectionLog } from '../admit/rejection-log.ts'
import type { DecideReport } from '../decide/messages.ts'
import type { RefusalCode, Signal, Transport } from '../receive/outcome.ts'
import type { Housekeeping } from '../retain/housekeeping.ts'
import type { WriterReply } from '../write/messages.ts'
import { createDiskUse } from './disk-use.ts'
import { logBatch, logDecided, logGroup, logRejections } from './log-lines.ts'
import { createMetrics } from './metrics.ts'
import { createSummary } from './summary.ts'
import type { OnRequest } from './time-requests.ts'

/** Everything that is told about the collector's own work: metrics, the summary, lines for what was refused, debug lines per batch. */
export interface Observer extends PipelineObserver {
  onRefused(transport: Transport, signal: Signal, code: RefusalCode): void
  /** An accepted request; `ms` from its body read to its answer. */
  onAnswered(ms: number): void
  onRequest: OnRequest
  onGroup(reply: WriterReply, spans: number, waitedMs: number): void
  onDecided(report: DecideReport): void
  /** One line for each project and reason that something was refused for since the last call. */
  writeRejections(): void
  writeSummary(): void
  metricsText(): Promise<MetricsText>
  stop(): void
}

export interface ObserverDeps {
  dataDir: string
  log: Logger
  version: string
  instanceId: string
  random(): number
  queueSpans(): number
  queueMaxSpans: number
  inFlight: InFlight
  inFlightMaxBytes: number
  housekeeping: Housekeeping
  isReady(): boolean
}

/** What ends a request by our own fault rather than the sender's. */
const OWN_FAULTS: ReadonlySet<RefusalCode> = new Set(['storage_failed', 'internal'])

export function createObserver(deps: ObserverDeps): Observer {
  const { log, queueSpans, inFlight, housekeeping } = deps
  const summary = createSummary(deps.random)
  const rejectionLog = createRejectionLog()
  const disk = createDiskUse(deps.dataDir)
  const metrics = createMetrics({
    version: deps.version,
    instanceId: deps.instanceId,
    droppedLines: () => droppedLines(log),
    sources: {
      ...deps,
      ...disk,
      inFlightBytes: inFlight.bytes,
      isWalHeld: housekeeping.isLogHeld,
      isDiskFull: housekeeping.isDiskFull,
    },
  })
  const senders = createUnknownSenders((code) => rejectionLog.noteRequest(null, code))
  return {
    onStored(batch) {
      const { transport, caller, newSpans, counts, rejections } = batch
      metrics.countAccepted('traces', transport, newSpans)
      metrics.countSpans(caller.projectId, 'accepted', newSpans)
      summary.noteAccepted(newSpans)
      logBatch(log, batch)
      if (counts.size === 0) return
      summary.noteCounts(counts)
      for (const [what, count] of counts) metrics.countSpans(caller.projectId, what, count)
      const rejected = rejections.count()
      if (rejected === 0) return
      metrics.countRefused('traces', transport, rejected)
      rejectionLog.noteSpans(caller.projectId, batch.userAgent, rejections)
    },
    onTaken(transport, signal, taken, notKept) {
      metrics.countAccepted(signal, transport, taken)
      if (notKept === 0) return
      summary.noteNotKept(signal, notKept)
      metrics.countNotKept(signal, notKept)
    },
    onLost(transport, signal, items, code) {
      if (OWN_FAULTS.has(code)) metrics.countFailed(signal, transport, items)
      else metrics.countRefused(signal, transport, items)
      if (code === 'queue_full') metrics.countNotEnqueued(items)
    },
    onRefusedCaller(caller, code) {
      senders.noteKnown(code)
      rejectionLog.noteRequest(caller.projectId, code)
    },
    onRefused(transport, signal, code) {
      senders.noteAny(code)
      summary.noteRefused(code)
      metrics.countRefusedRequest(signal, transport, code)
      log.debug({ code: 'ingest.refused_request', transport, signal, reason: code }, 'a request was refused')
    },
    onAnswered: summary.noteAcknowledged,
    onRequest: (transport, signal, status, ms) => metrics.observeRequest(signal, transport, status, ms / 1000),
    onGroup(reply, spans, waitedMs) {
      metrics.observeGroup(reply, spans, waitedMs)
      logGroup(log, reply, spans, waitedMs)
    },
    onDecided(report) {
      metrics.countDecided(report)
      if (report.kind === 'housekeeping') metrics.countHousekeeping(report.report)
      logDecided(log, report)
    },
    writeRejections: () => logRejections(log, rejectionLog.drain()),
    writeSummary() {
      const state = { queue_spans: queueSpans(), in_flight_bytes: inFlight.bytes() }
      const space = { disk_bytes: disk.diskBytes(), wal_bytes: disk.walBytes(), free_bytes: disk.freeBytes() }
      log.info({ code: 'ingest.summary', ...summary.drain(), ...state, ...space }, 'what came in since the last summary')
      void disk.look()
    },
    metricsText: async () => {
      await disk.look()
      return metrics.text()
    },
    stop: metrics.stop,
  }
}

/**
 * A refusal is told by the door, which knows every request, and by the pipeline, which knows whose it is where that is known.
 * What only the door told came from a sender that nobody knows.
 */
function createUnknownSenders(noteUnknown: (code: RefusalCode) => void) {
  const known = new Map<RefusalCode, number>()
  return {
    noteKnown: (code: RefusalCode) => void known.set(code, (known.get(code) ?? 0) + 1),
    noteAny(code: RefusalCode) {
      const waiting = known.get(code) ?? 0
      if (waiting > 0) known.set(code, waiting - 1)
      else noteUnknown(code)
    },
  }
}
