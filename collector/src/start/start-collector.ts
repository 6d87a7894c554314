import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { Settings } from '@loopkit/config/settings-schema'
import { lossOfDamage } from '@loopkit/shared/database/telemetry/segment-damage'
import { createTraceHashWriter } from '@loopkit/shared/database/telemetry/trace-hash'
import type { Clock } from '@loopkit/shared/runtime/clock'
import { writeRunFiles } from '@loopkit/shared/runtime/data-folder'
import { createGarbageCollector } from '@loopkit/shared/runtime/garbage'
import { createLifecycle, type Lifecycle } from '@loopkit/shared/runtime/lifecycle'
import type { Logger } from '@loopkit/shared/runtime/log'
import { type AdmissionContext, confirmAdmission, revokeAdmission } from '../admit/admission.ts'
import { createAdmissionTurns } from '../admit/admission-turns.ts'
import { createDecodePool } from '../admit/decode-pool.ts'
import { createInFlight, type InFlight } from '../admit/in-flight.ts'
import { createKeyUses } from '../admit/key-uses.ts'
import { createLedger } from '../admit/ledger.ts'
import { createLookup, type Lookup } from '../admit/lookup.ts'
import { createMemoryWatch } from '../admit/memory-watch.ts'
import { createNotKeptNotices } from '../admit/not-kept-notices.ts'
import { createPipeline, type Pipeline } from '../admit/pipeline.ts'
import type { DecodeLimits } from '../admit/prepare.ts'
import { createQuota } from '../admit/quota.ts'
import { SeenSpans, spansPerBodyMax } from '../admit/seen-spans.ts'
import { createSpanKeyer } from '../admit/span-keys.ts'
import { createWorkTurns } from '../admit/work-turns.ts'
import { decideWorkerData, startDecider } from '../decide/decider-client.ts'
import { createObserver, type Observer } from '../observe/observer.ts'
import { startOwnSpans } from '../observe/own-spans.ts'
import { type Authenticator, createAuthenticator } from '../receive/authenticate.ts'
import { type ExportHandlerDeps, isLoopback } from '../receive/export-handler.ts'
import { refused } from '../receive/outcome.ts'
import { createHousekeeping, type Housekeeping } from '../retain/housekeeping.ts'
import { CommitQueue } from '../write/commit-queue.ts'
import { isSyncFailure } from '../write/storage-error.ts'
import { WRITE_TURN_BYTES } from '../write/write-turn.ts'
import { startWriter } from '../write/writer-client.ts'
import { claimStore } from './claim-store.ts'
import { createHealth, type Health } from './health.ts'
import { openReceivers } from './open-receivers.ts'
import type { StoreState } from './open-store.ts'
import { warmUpAdmission } from './warm-up-admission.ts'

export interface CollectorOptions {
  settings: Settings
  clock: Clock
  log: Logger
  pid: number
  version: string
  random(): number
  /** Threads for compressed and JSON bodies. */
  decodeWorkers: number
  /** Compile the code for spans before the first one comes: 0.15 s that a test need not wait. */
  warmsUp: boolean
  /** Only a restart helps: exit with this code. Told at most once. */
  onFatal(exitCode: number, error: Error): void
}

export interface RunningCollector {
  port: number
  grpcPort: number
  /** Stops listening, lets requests under way end, writes what is left, closes everything. */
  stop(): Promise<void>
}

/** Places of the memory of seen spans, per generation: 325,000 spans in 8 MB. */
const SEEN_PLACES_LOG2 = 19
/**
 * A body must bring this much in this time, or it is ended: 1 byte a second would hold its room for hours. So is one that is not
 * whole after so many such times.
 */
const BODY_PROGRESS = { progressMs: 10_000, progressMinBytes: 16 * 1024, periodsMax: 11 }
/** Counts that ride with no commit are written this often, in ms. */
const FLUSH_EVERY_MS = 1_000
/** What was refused is said this often at most, in ms, added up. */
const REJECTIONS_EVERY_MS = 10_000

/** Composes the collector and listens. What was started is stopped again when a later step fails. */
export async function startCollector(options: CollectorOptions): Promise<RunningCollector> {
  const lifecycle = createLifecycle()
  try {
    return await compose(options, lifecycle)
  } catch (error) {
    await lifecycle.stop().catch(() => {})
    throw error
  }
}

async function compose(options: CollectorOptions, lifecycle: Lifecycle): Promise<RunningCollector> {
  const { settings, clock, log, pid } = options
  const { dataDir } = settings
  const { state, losses } = claimStore(options, lifecycle)
  const health = createHealth(options.onFatal, log)
  const inFlight = openInFlight(options, lifecycle)
  const housekeeping = createHousekeeping(log, (damage) => losses.note(lossOfDamage(damage, clock.nowMs())))
  const observer = createObserver({
    dataDir,
    housekeeping,
    log,
    version: options.version,
    instanceId: randomUUID(),
    random: options.random,
    queueSpans: () => storage.queue.pendingSpans,
    queueMaxSpans: settings.queueMaxSpans,
    inFlight,
    inFlightMaxBytes: settings.inFlightMaxBytes,
    isReady: () => unreadyReason() === null,
  })
  lifecycle.defer('metrics', observer.stop)
  const unreadyReason = () => health.reason() ?? losses.reason() ?? housekeeping.reason() ?? authenticator.unavailableReason()
  const storage = await startStorage(options, lifecycle, { state, health, observer, housekeeping })
  const authenticator = createAuthenticator(join(dataDir, 'control.db'), settings.keylessProject, clock)
  lifecycle.defer('control.db', authenticator.close)
  const admission = startPipeline(options, lifecycle, { ...storage, state, health, observer })
  const pipeline = withOwnSpans(options, lifecycle, housekeeping.guard(admission), inFlight, authenticator)

  let stopping = false
  const exporting: ExportHandlerDeps = {
    authenticator,
    pipeline,
    inFlight,
    bodyLimits: { bodyMaxBytes: settings.bodyMaxBytes, ...BODY_PROGRESS },
    isLocal: isLoopback,
    isStopping: () => stopping,
    onRefused: observer.onRefused,
    onAnswered: observer.onAnswered,
    monotonicMs: clock.monotonicMs,
    onError: (error) => log.error({ code: 'receive.failed', err: error }, 'a request could not be handled'),
  }
  const { port, grpcPort } = await openReceivers({
    settings,
    clock,
    log,
    lifecycle,
    exporting,
    onRequest: observer.onRequest,
    unreadyReason,
    metricsText: observer.metricsText,
    onStop: () => {
      stopping = true
    },
  })
  lifecycle.defer('run files', writeRunFiles(dataDir, 'collector', pid, { otlpHttpPort: port, otlpGrpcPort: grpcPort }))
  startTimers(settings, lifecycle, storage.queue, observer)
  return { port, grpcPort, stop: lifecycle.stop }
}

function openInFlight({ settings, clock, log }: CollectorOptions, lifecycle: Lifecycle): InFlight {
  const { inFlightMaxBytes, memorySoftLimitBytes } = settings
  const { monotonicMs } = clock
  const watch = createMemoryWatch({
    softLimitBytes: memorySoftLimitBytes,
    garbage: createGarbageCollector(),
    rssBytes: process.memoryUsage.rss,
    monotonicMs,
    onPressed: (isPressed, rssBytes) =>
      log.info(
        { code: isPressed ? 'memory.short' : 'memory.enough', rss_bytes: rssBytes, soft_limit_bytes: memorySoftLimitBytes },
        isPressed ? 'memory is short; large and many bodies are asked to come again' : 'memory is no longer short',
      ),
  })
  lifecycle.defer('memory watch', watch.stop)
  const { isPressed, noteReceived: onReceived } = watch
  return createInFlight({ maxBytes: inFlightMaxBytes, monotonicMs, isPressed, onReceived })
}

/** With self-telemetry off, the pipeline as it is. */
function withOwnSpans(
  { settings, clock, version }: CollectorOptions,
  lifecycle: Lifecycle,
  pipeline: Pipeline,
  inFlight: InFlight,
  { findOwnProject }: Authenticator,
): Pipeline {
  if (!settings.selfTelemetry) return pipeline
  const { observed, stop } = startOwnSpans({ clock, version, pipeline, inFlight, findOwnProject })
  lifecycle.defer('own spans', stop)
  return observed
}

interface StorageParts {
  state: StoreState
  health: Health
  observer: Observer
  housekeeping: Housekeeping
}

/** Writer, decider and the queue before them. Stopped in this order: decider, what is queued, writer. */
async function startStorage(
  options: CollectorOptions,
  lifecycle: Lifecycle,
  { state, health, observer, housekeeping }: StorageParts,
) {
  const { settings, clock } = options
  const signalsOff = settings.signalsOff.split(',').map((name) => name.trim())
  const telemetryPath = join(settings.dataDir, 'telemetry.db')
  const context: AdmissionContext = {
    seen: new SeenSpans({ placesLog2: SEEN_PLACES_LOG2, older: state.olderTraces }),
    quota: createQuota(state.accepted),
    pending: new Map(),
    hashTrace: createTraceHashWriter(state.hashKey),
  }
  const ledger = createLedger()
  const keyUses = createKeyUses(clock.nowMs)
  const writeTurn = new SharedArrayBuffer(WRITE_TURN_BYTES)
  const writerStarting = startWriter(
    { path: telemetryPath, redact: settings.redact, signalsOff, writeTurn, warmsUp: options.warmsUp },
    (reply) => queue.onReply(reply),
    (error) => health.fail('the writer ended', error),
  )
  // Both threads at the same time.
  if (options.warmsUp) warmUpAdmission(settings, state.hashKey, clock.monotonicMs)
  const writer = await writerStarting
  lifecycle.defer('writer', writer.close)
  const queue = new CommitQueue({
    port: writer,
    ledger,
    keyUses,
    monotonicMs: clock.monotonicMs,
    endedBecause: () => (health.hasEnded() ? refused('storage_failed', 'the collector must restart') : null),
    events: {
      onCommitted: (body) => confirmAdmission(context, body),
      onRevoked: (body) => revokeAdmission(context, body),
      onGroup: (reply, spans, waitedMs) => {
        health.noteReply(reply)
        if (reply.kind === 'failed' && reply.code === 'storage_full') decider.noteDiskFull()
        observer.onGroup(reply, spans, waitedMs)
      },
    },
  })
  lifecycle.defer('queue', () => queue.idle())
  const lookup = createLookup({ path: telemetryPath }, (error) => health.fail('the look-up ended', error))
  lifecycle.defer('look-up', lookup.close)
  // After a restart exporters repeat what had no answer: the first of them must not wait for the thread to start.
  const lookupIsReady = state.olderTraces.size() > 0 ? lookup.warm() : null
  const decider = await startDecider(
    decideWorkerData(settings, signalsOff, writeTurn, writer.decisions),
    (report) => {
      if (report.kind === 'housekeeping') housekeeping.note(report.report)
      if (report.kind === 'failed' && isSyncFailure(report.code)) health.fail('the decider', new Error(report.message))
      observer.onDecided(report)
    },
    (error) => health.fail('the decider ended', error),
  )
  lifecycle.defer('decider', decider.close)
  await lookupIsReady
  return { queue, context, ledger, keyUses, lookup }
}

interface PipelineParts {
  state: StoreState
  health: Health
  queue: CommitQueue
  context: AdmissionContext
  ledger: ReturnType<typeof createLedger>
  keyUses: ReturnType<typeof createKeyUses>
  observer: Observer
  lookup: Lookup
}

function startPipeline(options: CollectorOptions, lifecycle: Lifecycle, parts: PipelineParts) {
  const { settings, clock } = options
  const { state, health } = parts
  const limits: DecodeLimits = { ...settings, bodyMaxSpans: spansPerBodyMax(SEEN_PLACES_LOG2) }
  const decodePool = createDecodePool(options.decodeWorkers, { hashKey: state.hashKey, limits }, (error) =>
    health.fail('a decoder ended', error),
  )
  lifecycle.defer('decoders', decodePool.close)
  const turns = createAdmissionTurns({
    context: parts.context,
    older: state.olderTraces,
    lookup: parts.lookup,
    queue: parts.queue,
    queueMaxSpans: settings.queueMaxSpans,
  })
  return createPipeline({
    workTurns: createWorkTurns(clock.monotonicMs),
    ...parts,
    turns,
    limits,
    keyer: createSpanKeyer(state.hashKey),
    decodePool,
    monotonicMs: clock.monotonicMs,
    notKeptNotices: createNotKeptNotices(clock.monotonicMs),
  })
}

function startTimers(settings: Settings, lifecycle: Lifecycle, queue: CommitQueue, observer: Observer): void {
  const flushing = setInterval(() => queue.flush(), FLUSH_EVERY_MS).unref()
  const summing = setInterval(() => void observer.writeSummary(), settings.summaryMs).unref()
  const rejecting = setInterval(observer.writeRejections, Math.min(REJECTIONS_EVERY_MS, settings.summaryMs)).unref()
  lifecycle.defer('timers', () => {
    clearInterval(flushing)
    clearInterval(summing)
    clearInterval(rejecting)
    observer.writeRejections()
    return observer.writeSummary()
  })
}
