import type { Caller } from '../receive/authenticate.ts'
import type { Compression } from '../receive/content-encoding.ts'
import {
  type Encoding,
  FULL_SUCCESS,
  type Outcome,
  type Refusal,
  type RefusalCode,
  refused,
  type Signal,
  type Transport,
} from '../receive/outcome.ts'
import type { CommitQueue } from '../write/commit-queue.ts'
import type { Admission } from './admission.ts'
import type { AdmissionTurns } from './admission-turns.ts'
import type { DecodePool } from './decode-pool.ts'
import type { Room } from './in-flight.ts'
import type { KeyUses } from './key-uses.ts'
import type { Ledger, LedgerCounts } from './ledger.ts'
import { StoreUnreadableError } from './lookup.ts'
import { type DecodeLimits, type Prepared, type PreparedTraces, prepare } from './prepare.ts'
import type { RejectionLog } from './rejection-log.ts'
import type { SpanKeyer } from './span-keys.ts'

/** One export request, whatever protocol brought it: authenticated, read whole, not yet looked into. */
export interface ExportRequest {
  transport: Transport
  signal: Signal
  encoding: Encoding
  compression: Compression
  body: Uint8Array
  caller: Caller
  /** Of the exporter, for the log; not trusted. */
  userAgent: string
  room: Room
}

/** What every protocol hands its requests to. */
export interface Pipeline {
  /** Resolves when everything that is acknowledged is durable. Rejects only on a bug. */
  accept(request: ExportRequest): Promise<Outcome>
  /** Counts a request of a known sender that was refused before its body was whole. */
  noteRefused(caller: Caller, code: RefusalCode): void
}

export interface PipelineDeps {
  turns: AdmissionTurns
  limits: DecodeLimits
  keyer: SpanKeyer
  decodePool: DecodePool
  queue: CommitQueue
  ledger: Ledger
  keyUses: KeyUses
  rejectionLog: RejectionLog
  notKeptNotices: NotKeptNotices
  observer: PipelineObserver
}

/** Told what became of spans once it is certain. */
export interface PipelineObserver {
  onSpans(transport: Transport, newSpans: number, counts: LedgerCounts): void
  onNotKept(signal: Signal, records: number): void
}

/** Says at most once an hour per project and signal that something is taken and not kept. */
export interface NotKeptNotices {
  take(projectNo: number, signal: Signal): string
}

/** Plain protobuf up to here is walked on the main thread: some 0.3 ms; a trip to a worker costs more in all. */
const INLINE_MAX_BYTES = 1024 ** 2

export function createPipeline(deps: PipelineDeps): Pipeline {
  return {
    noteRefused: (caller, code) => deps.ledger.add(caller.projectNo, `refused:${code}`, 1),
    async accept(request) {
      const { caller, room } = request
      const receivedBytes = request.body.length
      const prepared = await prepareRequest(deps, request)
      deps.keyUses.note(caller)
      if (prepared.kind === 'refused') {
        deps.ledger.add(caller.projectNo, `refused:${prepared.code}`, 1)
        return prepared
      }
      if (prepared.kind === 'count') return acceptCount(deps, request, prepared.records)
      room.grow(Math.max(0, prepared.body.length - receivedBytes))
      room.moveTo(prepared.body)
      return acceptTraces(deps, request, prepared)
    },
  }
}

function prepareRequest({ limits, keyer, decodePool }: PipelineDeps, request: ExportRequest): Prepared | Promise<Prepared> {
  const { signal, encoding, compression, caller, body } = request
  const raw = { signal, encoding, compression, projectNo: caller.projectNo, bytes: body }
  const isInline = compression === 'identity' && encoding === 'protobuf' && body.length <= INLINE_MAX_BYTES
  return isInline ? prepare(raw, limits, keyer) : decodePool.decode(raw)
}

function acceptCount(
  { ledger, observer, notKeptNotices }: PipelineDeps,
  { caller, signal }: ExportRequest,
  records: number,
): Outcome {
  if (records === 0) return FULL_SUCCESS
  ledger.add(caller.projectNo, `not_kept:${signal}`, records)
  observer.onNotKept(signal, records)
  return { kind: 'accepted', rejected: 0, message: notKeptNotices.take(caller.projectNo, signal) }
}

async function acceptTraces(
  deps: PipelineDeps,
  { transport, caller, userAgent }: ExportRequest,
  prepared: PreparedTraces,
): Promise<Outcome> {
  const { turns, queue, ledger, observer, rejectionLog } = deps
  const admission = await turns.admit(caller, prepared).catch(refuseUnreadable)
  if (admission === 'queue_full') {
    ledger.add(caller.projectNo, 'refused:queue_full', 1)
    return refused('queue_full', 'too many spans wait to be stored; try again')
  }
  if ('kind' in admission) return admission
  const failed = await whyNotDurable(queue, admission)
  if (failed) return failed
  const { stored, rejections } = admission
  // Counts of spans that are stored ride with their commit.
  if (!stored) ledger.addAll(caller.projectNo, admission.ledger)
  observer.onSpans(transport, stored?.newSpans ?? 0, admission.ledger)
  const rejected = rejections.count()
  if (rejected > 0) rejectionLog.note(caller.projectId, userAgent, rejections)
  return { kind: 'accepted', rejected, message: rejections.message() }
}

/** To most exporters another answer than 503 means that they drop the spans. */
function refuseUnreadable(error: Error): Refusal {
  if (!(error instanceof StoreUnreadableError)) throw error
  return refused('storage_failed', `the store could not be asked (${error.message})`)
}

/** Waits for the commits that the answer stands for: the body's own, and those of first copies of what it repeats. */
async function whyNotDurable(queue: CommitQueue, { stored, dependsOn }: Admission) {
  for (const first of dependsOn) {
    const failed = await queue.settled(first)
    if (failed) return failed
  }
  return stored ? queue.settled(stored) : null
}
