import type { Logger } from '@loopkit/shared/runtime/log'
import type { StoredBatch } from '../admit/pipeline.ts'
import type { RejectionEntry } from '../admit/rejection-log.ts'
import type { DecideReport } from '../decide/messages.ts'
import type { WriterReply } from '../write/messages.ts'
import { countFields } from './summary.ts'

/** One line for each answered batch of spans, at debug. */
export function logBatch(log: Logger, batch: StoredBatch): void {
  if (!log.isLevelEnabled('debug')) return
  const { caller, transport, userAgent, bytes, newSpans, counts, commit, ms } = batch
  log.debug(
    {
      code: 'ingest.batch',
      project_id: caller.projectId,
      transport,
      spans: newSpans,
      ...countFields(counts),
      bytes,
      commit,
      ms: Math.round(ms * 10) / 10,
      user_agent: userAgent.slice(0, USER_AGENT_MAX),
    },
    'a batch was answered',
  )
}

const USER_AGENT_MAX = 120

/** Senders wait this long for their answer, in ms: they notice. */
const SLOW_MS = 1_000

/** Commits one by one at debug, slow ones at warn; what a person must know at error. */
export function logGroup(log: Logger, reply: WriterReply, spans: number, waitedMs: number): void {
  const waited_ms = Math.round(waitedMs * 10) / 10
  if (reply.kind === 'failed') log.debug({ code: 'commit.failed', reason: reply.code, spans, waited_ms }, reply.message)
  if (reply.kind !== 'committed') return
  const line = { commit: reply.commit, spans, waited_ms }
  if (waitedMs >= SLOW_MS)
    log.warn({ code: 'commit.slow', ...line }, 'a commit took long: the disk is slow, or the machine is busy')
  else log.debug({ code: 'commit.done', ...line }, 'spans stored')
  if (reply.failure !== null)
    log.error({ code: 'commit.unreadable', bodies: reply.failed.length, failure: reply.failure }, 'bodies could not be read')
}

export function logDecided(log: Logger, report: DecideReport): void {
  if (report.kind === 'failed')
    log.warn({ code: 'decide.failed', reason: report.code, detail: report.message }, 'traces were not decided; they wait')
  if (report.kind === 'decided') log.debug({ code: 'decide.done', traces: report.hashes.length }, 'traces decided')
}

/** Spans and whole requests that were refused, added up: a line for each project and reason. */
export function logRejections(log: Logger, entries: readonly RejectionEntry[]): void {
  for (const { what, ...entry } of entries) {
    if (what === 'spans') log.warn({ code: 'ingest.rejected', ...entry }, 'spans were rejected')
    else log.warn({ code: 'ingest.refused', ...entry }, 'requests were refused')
  }
}
