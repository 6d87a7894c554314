import { OWN_PROJECT_ID } from '@loopkit/shared/database/control/own-project'
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
import { type DecodeLimits, type Prepared, type PreparedCount, type PreparedTraces, prepare } from './prepare.ts'
import type { Rejections } from './rejections.ts'
import type { SpanKeyer } from './span-keys.ts'
import type { WorkTurns } from './work-turns.ts'

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
  workTurns: WorkTurns
  turns: AdmissionTurns
  limits: DecodeLimits
  keyer: SpanKeyer
  decodePool: DecodePool
  queue: CommitQueue
  ledger: Ledger
  keyUses: KeyUses
  notKeptNotices: NotKeptNotices
  observer: PipelineObserver
  monotonicMs(): number
}

/** Told what became of what was sent, once it is certain. */
export interface PipelineObserver {
  onStored(batch: StoredBatch): void
  /** Log records and metric points that were answered with success, and how many of them are not kept. */
  onTaken(transport: Transport, signal: Signal, taken: number, notKept: number): void
  /** Items of a request that was refused after they had been counted. */
  onLost(transport: Transport, signal: Signal, items: number, code: RefusalCode): void
  onRefusedCaller(caller: Caller, code: RefusalCode): void
}

/** Spans of one request that was answered with success. */
export interface StoredBatch {
  transport: Transport
  caller: Caller
  userAgent: string
  /** As received. */
  bytes: number
  newSpans: number
  /** What became of the others. */
  counts: LedgerCounts
  rejections: Rejections
  /** null: nothing of it had to be stored. */
  commit: number | null
  ms: number
}

/** Says at most once an hour per project and signal that something is taken and not kept. */
export interface NotKeptNotices {
  take(projectNo: number, signal: Signal): string
}

/** Plain protobuf up to here is walked on the main thread: some 0.3 ms; a trip to a worker costs more in all. */
const INLINE_MAX_BYTES = 1024 ** 2

export function createPipeline(deps: PipelineDeps): Pipeline {
  const { ledger, observer } = deps
  const noteRefused = (caller: Caller, code: RefusalCode) => {
    ledger.add(caller.projectNo, `refused:${code}`, 1)
    observer.onRefusedCaller(caller, code)
  }
  return {
    noteRefused,
    async accept(request) {
      const leave = await enterWork(deps, request)
      const outcome = leave ? await take(deps, request).finally(leave) : BUSY
      if (outcome.kind === 'refused') noteRefused(request.caller, outcome.code)
      return outcome
    },
  }
}

const BUSY = refused('in_flight_full', 'too many bodies of this project are being worked on; try again')
/** How much larger a compressed body is guessed to become. */
const INFLATED_GUESS = 16

/** The product's own spans are few and take no part of anybody's share. null: the project's turn did not come. */
async function enterWork({ workTurns }: PipelineDeps, { caller, body, compression }: ExportRequest) {
  if (caller.projectId === OWN_PROJECT_ID) return () => {}
  return workTurns.enter(caller.projectNo, body.length * (compression === 'identity' ? 1 : INFLATED_GUESS))
}

async function take(deps: PipelineDeps, request: ExportRequest): Promise<Outcome> {
  const { caller, room } = request
  const receivedBytes = request.body.length
  const startedMs = deps.monotonicMs()
  const prepared = await prepareRequest(deps, request)
  deps.keyUses.note(caller)
  if (prepared.kind === 'refused') return prepared
  if (prepared.kind === 'count') return acceptCount(deps, request, prepared)
  room.grow(Math.max(0, prepared.body.length - receivedBytes))
  room.moveTo(prepared.body)
  return acceptRecords(deps, request, prepared, { bytes: receivedBytes, startedMs })
}

function prepareRequest({ limits, keyer, decodePool }: PipelineDeps, request: ExportRequest): Prepared | Promise<Prepared> {
  const { signal, encoding, compression, caller, body } = request
  const raw = { signal, encoding, compression, projectNo: caller.projectNo, bytes: body }
  const isInline = compression === 'identity' && encoding === 'protobuf' && body.length <= INLINE_MAX_BYTES
  return isInline ? prepare(raw, limits, keyer) : decodePool.decode(raw)
}

function acceptCount(
  { ledger, observer, notKeptNotices }: PipelineDeps,
  { caller, signal, transport }: ExportRequest,
  { records, hint }: PreparedCount,
): Outcome {
  if (records === 0) return hint === '' ? FULL_SUCCESS : { kind: 'accepted', rejected: 0, message: hint }
  ledger.add(caller.projectNo, `not_kept:${signal}`, records)
  observer.onTaken(transport, signal, records, records)
  return { kind: 'accepted', rejected: 0, message: hint || notKeptNotices.take(caller.projectNo, signal) }
}

async function acceptRecords(
  deps: PipelineDeps,
  { transport, signal, caller, userAgent }: ExportRequest,
  prepared: PreparedTraces,
  { bytes, startedMs }: { bytes: number; startedMs: number },
): Promise<Outcome> {
  const { turns, queue, ledger, observer } = deps
  const admission = await turns.admit(caller, prepared).catch(refuseUnreadable)
  const failed = admission === 'queue_full' ? QUEUE_FULL : 'kind' in admission ? admission : await whyNotDurable(queue, admission)
  if (failed) {
    observer.onLost(transport, signal, prepared.scan.count, failed.code)
    return failed
  }
  const { stored, rejections, ledger: counts, traceCounts } = admission as Admission
  if (!stored) {
    // Counts of spans that are stored ride with their commit; these have one of their own, so that a crash loses none.
    ledger.addAll(caller.projectNo, counts)
    ledger.addAll(caller.projectNo, traceCounts)
    await queue.counted()
  }
  if (prepared.recordKind === 'log') return answerLogs(deps, { transport, caller }, prepared, rejections)
  const newSpans = stored?.newSpans ?? 0
  const commit = stored?.commit ?? null
  const ms = deps.monotonicMs() - startedMs
  observer.onStored({ transport, caller, userAgent, bytes, newSpans, counts, rejections, commit, ms })
  return { kind: 'accepted', rejected: rejections.count(), message: rejections.message() || prepared.hint }
}

function answerLogs(
  { observer, notKeptNotices }: PipelineDeps,
  { transport, caller }: Pick<ExportRequest, 'transport' | 'caller'>,
  { scan, notKept, hint }: PreparedTraces,
  rejections: Rejections,
): Outcome {
  observer.onTaken(transport, 'logs', scan.count + notKept, notKept)
  const notice = notKept === 0 ? '' : notKeptNotices.take(caller.projectNo, 'logs')
  return { kind: 'accepted', rejected: rejections.count(), message: rejections.message() || hint || notice }
}

const QUEUE_FULL = refused('queue_full', 'too many spans wait to be stored; try again')

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
