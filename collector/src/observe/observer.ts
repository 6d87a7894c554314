import { droppedLines, type Logger } from '@loopkit/shared/runtime/log'
import type { MetricsText } from '@loopkit/shared/runtime/metric-registry'
import type { InFlight } from '../admit/in-flight.ts'
import { createRejectionLog } from '../admit/rejection-log.ts'
import type { DecideReport } from '../decide/messages.ts'
import type { Housekeeping } from '../retain/housekeeping.ts'
import type { WriterReply } from '../write/messages.ts'
import { createDiskUse } from './disk-use.ts'
import { logDecided, logGroup, logRejections } from './log-lines.ts'
import { createMetrics } from './metrics.ts'
import { observeReceiving, type ReceivingObserver } from './observe-receiving.ts'
import { createSummary } from './summary.ts'
import type { OnRequest } from './time-requests.ts'

/** Everything that is told about the collector's own work: metrics, the summary, lines for what was refused, debug lines per batch. */
export interface Observer extends ReceivingObserver {
  /** An accepted request; `ms` from its body read to its answer. */
  onAnswered(ms: number): void
  onRequest: OnRequest
  onGroup(reply: WriterReply, spans: number, waitedMs: number): void
  onDecided(report: DecideReport): void
  /** One line for each project and reason that something was refused for since the last call. */
  writeRejections(): void
  writeSummary(): Promise<void>
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
  return {
    ...observeReceiving({ log, metrics, summary, rejectionLog }),
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
    async writeSummary() {
      await disk.look()
      const state = { queue_spans: queueSpans(), in_flight_bytes: inFlight.bytes() }
      const space = { disk_bytes: disk.diskBytes(), wal_bytes: disk.walBytes(), free_bytes: disk.freeBytes() }
      log.info({ code: 'ingest.summary', ...summary.drain(), ...state, ...space }, 'what came in since the last summary')
    },
    metricsText: async () => {
      await disk.look()
      return metrics.text()
    },
    stop: metrics.stop,
  }
}
