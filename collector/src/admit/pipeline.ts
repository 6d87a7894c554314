import type { Caller } from '../receive/authenticate.ts'
import type { Compression } from '../receive/content-encoding.ts'
import { type Encoding, FULL_SUCCESS, type Outcome, refused, type Signal } from '../receive/outcome.ts'
import type { CommitQueue } from '../write/commit-queue.ts'
import { type Admission, type AdmissionContext, type Admitting, admitRows, beginAdmission, endAdmission } from './admission.ts'
import type { BloomFilter } from './bloom-filter.ts'
import type { DecodePool } from './decode-pool.ts'
import type { Room } from './in-flight.ts'
import type { KeyUses } from './key-uses.ts'
import type { Ledger, LedgerCounts } from './ledger.ts'
import type { Lookup } from './lookup.ts'
import { type DecodeLimits, type Prepared, type PreparedTraces, prepare } from './prepare.ts'
import type { RejectionLog } from './rejection-log.ts'
import { OWNERS } from './seen-spans.ts'
import type { SpanKeyer } from './span-keys.ts'
import { SPAN_REF_BYTES } from './stored-spans.ts'

/** One export request, whatever protocol brought it: authenticated, read whole, not yet looked into. */
export interface ExportRequest {
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
}

export interface PipelineDeps {
  context: AdmissionContext
  older: BloomFilter
  limits: DecodeLimits
  queueMaxSpans: number
  keyer: SpanKeyer
  decodePool: DecodePool
  lookup: Lookup
  queue: CommitQueue
  ledger: Ledger
  keyUses: KeyUses
  rejectionLog: RejectionLog
  notKeptNotices: NotKeptNotices
  observer: PipelineObserver
}

/** Told what became of spans once it is certain. */
export interface PipelineObserver {
  onSpans(newSpans: number, counts: LedgerCounts): void
  onNotKept(signal: Signal, records: number): void
}

/** Says at most once an hour per project and signal that something is taken and not kept. */
export interface NotKeptNotices {
  take(projectNo: number, signal: Signal): string
}

/** Plain protobuf up to here is walked on the main thread: some 0.3 ms; a trip to a worker costs more in all. */
const INLINE_MAX_BYTES = 1024 ** 2
/** Rows judged in one go; then other requests get a turn. */
const SLICE_ROWS = 4096
/** Turns of asking the store before a body is told to come again: each needs a whole generation of other spans. */
const LOOKUP_ROUNDS_MAX = 3

export function createPipeline(deps: PipelineDeps): Pipeline {
  const { context, limits, keyer, decodePool, queue, ledger } = deps
  let lastAdmission: Promise<unknown> = Promise.resolve()
  let admissionsWaiting = 0
  let nextOwner = 1

  async function accept(request: ExportRequest): Promise<Outcome> {
    const { signal, encoding, compression, caller, room } = request
    const isInline = compression === 'identity' && encoding === 'protobuf' && request.body.length <= INLINE_MAX_BYTES
    const raw = { signal, encoding, compression, projectNo: caller.projectNo, bytes: request.body }
    const receivedBytes = request.body.length
    const prepared: Prepared = isInline ? prepare(raw, limits, keyer) : await decodePool.decode(raw)
    deps.keyUses.note(caller)
    if (prepared.kind === 'refused') {
      ledger.add(caller.projectNo, `refused:${prepared.code}`, 1)
      return prepared
    }
    if (prepared.kind === 'count') return acceptCount(request, prepared.records)
    room.grow(Math.max(0, prepared.body.length - receivedBytes))
    return acceptTraces(request, prepared)
  }

  function acceptCount({ caller, signal }: ExportRequest, records: number): Outcome {
    if (records === 0) return FULL_SUCCESS
    ledger.add(caller.projectNo, `not_kept:${signal}`, records)
    deps.observer.onNotKept(signal, records)
    return { kind: 'accepted', rejected: 0, message: deps.notKeptNotices.take(caller.projectNo, signal) }
  }

  async function acceptTraces(request: ExportRequest, prepared: PreparedTraces): Promise<Outcome> {
    const { caller } = request
    for (let round = 0; round < LOOKUP_ROUNDS_MAX; round++) {
      const rotations = context.seen.rotations()
      const stored = await askStore(deps, caller.projectNo, prepared)
      const admission = isTurnFree(prepared)
        ? admitAtOnce(caller, prepared, stored, rotations)
        : await inTurn(() => admitInSlices(caller, prepared, stored, rotations))
      if (admission === 'ask_again') continue
      if (admission === 'queue_full') {
        ledger.add(caller.projectNo, 'refused:queue_full', 1)
        return refused('queue_full', 'too many spans wait to be stored; try again')
      }
      return finish(request, admission)
    }
    return refused('queue_full', 'the store could not be asked in time; try again')
  }

  /** Small bodies need no turn of their own unless a large one is in the middle of its slices. */
  function isTurnFree({ scan }: PreparedTraces): boolean {
    return admissionsWaiting === 0 && scan.count <= SLICE_ROWS
  }

  function admitAtOnce(caller: Caller, prepared: PreparedTraces, stored: Uint8Array | null, rotations: number) {
    const admitting = begin(caller, prepared, stored, rotations)
    if (typeof admitting === 'string') return admitting
    admitRows(admitting, 0, prepared.scan.count)
    return publish(admitting)
  }

  async function admitInSlices(caller: Caller, prepared: PreparedTraces, stored: Uint8Array | null, rotations: number) {
    const admitting = begin(caller, prepared, stored, rotations)
    if (typeof admitting === 'string') return admitting
    for (let from = 0; from < prepared.scan.count; from += SLICE_ROWS) {
      admitRows(admitting, from, Math.min(prepared.scan.count, from + SLICE_ROWS))
      await nextTurn()
    }
    return publish(admitting)
  }

  function begin(
    caller: Caller,
    prepared: PreparedTraces,
    stored: Uint8Array | null,
    rotations: number,
  ): Admitting | 'queue_full' | 'ask_again' {
    const { count } = prepared.scan
    if (queue.pendingSpans() > 0 && queue.pendingSpans() + count > deps.queueMaxSpans) return 'queue_full'
    context.seen.makeRoom(count)
    // Spans that memory knew when the store was asked may be forgotten by now.
    if (context.seen.rotations() !== rotations) return 'ask_again'
    nextOwner = (nextOwner + 1) % OWNERS || 1
    return beginAdmission(context, caller, prepared, stored, nextOwner)
  }

  function publish(admitting: Admitting): Admission {
    const admission = endAdmission(admitting)
    if (admission.stored) queue.push(admission.stored)
    return admission
  }

  /** One after the other: a body that is pushed later never carries what an earlier one depends on. */
  function inTurn<T>(admit: () => Promise<T>): Promise<T> {
    admissionsWaiting++
    const mine = lastAdmission.then(admit).finally(() => admissionsWaiting--)
    lastAdmission = mine.catch(() => {})
    return mine
  }

  async function finish({ caller, userAgent }: ExportRequest, admission: Admission): Promise<Outcome> {
    const { stored, dependsOn, rejections } = admission
    for (const first of dependsOn) {
      const failed = await queue.settled(first)
      if (failed) return failed
    }
    const failed = stored ? await queue.settled(stored) : null
    if (failed) return failed
    if (!stored) ledger.addAll(caller.projectNo, admission.ledger)
    deps.observer.onSpans(stored?.newSpans ?? 0, admission.ledger)
    const rejected = rejections.count()
    if (rejected > 0) deps.rejectionLog.note(caller.projectId, userAgent, rejections)
    return { kind: 'accepted', rejected, message: rejections.message() }
  }

  return { accept }
}

/** Answers per row, for those whose trace may have spans that memory has forgotten; null where there is none. */
async function askStore({ context, older, lookup }: PipelineDeps, projectNo: number, prepared: PreparedTraces) {
  const { body, scan, keys } = prepared
  if (older.size() === 0) return null
  const rows: number[] = []
  for (let i = 0; i < scan.count; i++) {
    if (i % SLICE_ROWS === SLICE_ROWS - 1) await nextTurn()
    if (scan.reject[i] !== 0 || !older.mayHold(keys.traces[i * 2]!, keys.traces[i * 2 + 1]!)) continue
    if (context.seen.find(keys.spans[i * 2]!, keys.spans[i * 2 + 1]!) < 0) rows.push(i)
  }
  if (rows.length === 0) return null
  const refs = new Uint8Array(rows.length * SPAN_REF_BYTES)
  rows.forEach((row, n) => {
    refs.set(body.subarray(scan.traceIdAt[row]!, scan.traceIdAt[row]! + 16), n * SPAN_REF_BYTES)
    refs.set(body.subarray(scan.spanIdAt[row]!, scan.spanIdAt[row]! + 8), n * SPAN_REF_BYTES + 16)
  })
  const answers = await lookup.find(projectNo, refs)
  const stored = new Uint8Array(scan.count)
  rows.forEach((row, n) => {
    stored[row] = answers[n]!
  })
  return stored
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
