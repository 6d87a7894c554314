import { OWN_PROJECT_ID } from '@loopkit/shared/database/control/own-project'
import type { Logger } from '@loopkit/shared/runtime/log'
import type { PipelineObserver } from '../admit/pipeline.ts'
import type { RejectionLog } from '../admit/rejection-log.ts'
import type { RefusalCode, Signal, Transport } from '../receive/outcome.ts'
import { logBatch } from './log-lines.ts'
import type { Metrics } from './metrics.ts'
import type { Summary } from './summary.ts'

/** Told of what came in and what was refused. */
export interface ReceivingObserver extends PipelineObserver {
  onRefused(transport: Transport, signal: Signal, code: RefusalCode): void
}

export interface ReceivingDeps {
  log: Logger
  metrics: Metrics
  summary: Summary
  rejectionLog: RejectionLog
}

/** What ends a request by our own fault rather than the sender's. */
const OWN_FAULTS: ReadonlySet<RefusalCode> = new Set(['storage_failed', 'internal'])

export function observeReceiving({ log, metrics, summary, rejectionLog }: ReceivingDeps): ReceivingObserver {
  const senders = createUnknownSenders((code) => rejectionLog.noteRequest(null, code))
  return {
    onStored(batch) {
      const { transport, caller, newSpans, counts, rejections } = batch
      // The receiver's counters tell what others sent: our own spans would spoil every comparison with their senders'.
      if (caller.projectId !== OWN_PROJECT_ID) metrics.countAccepted('traces', transport, newSpans)
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
