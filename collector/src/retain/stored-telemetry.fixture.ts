import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SqliteDatabase } from '@loopkit/shared/database/open'
import { openTelemetryReader } from '@loopkit/shared/database/telemetry/open-telemetry'
import { readTraces, type StoredSpan } from '@loopkit/shared/database/telemetry/read-trace'
import { createTraceHashWriter } from '@loopkit/shared/database/telemetry/trace-hash'
import { createAttributeFilter } from '@loopkit/shared/otlp/decode-traces'
import { encodeLogs } from '@loopkit/shared/otlp/encode-logs'
import { encodeTraces } from '@loopkit/shared/otlp/encode-traces'
import { fromHex } from '@loopkit/shared/otlp/ids'
import type { LogInContext, OtlpAttributes, SpanInContext } from '@loopkit/shared/otlp/model'
import type { Clock } from '@loopkit/shared/runtime/clock'
import { DETECTION_KEYS } from '@loopkit/shared/signals/detect'
import { keepLogs } from '@loopkit/shared/span/keep-logs'
import { WANTED_KEYS, WANTED_PREFIXES } from '@loopkit/shared/span/wanted-keys'
import { createDecider } from '../decide/decider.ts'
import { addProject, createControl, type ProjectSpec, spanIdOf, traceIdOf } from '../start/collector.fixture.ts'
import { openStore } from '../start/open-store.ts'
import { createLogMoved } from '../write/log-moved.ts'
import type { BodyToCommit } from '../write/messages.ts'
import { WRITE_TURN_BYTES } from '../write/write-turn.ts'
import { createWriter } from '../write/writer.ts'
import { createCheckpoints } from './checkpoints.ts'
import { createTraceFolder } from './fold-traces.ts'
import { createKnownProjects } from './known-projects.ts'
import { createMerger } from './merger.ts'
import { openRetainedStore } from './retained-store.ts'
import { type PassOptions, type Removed, retentionPass } from './retention-pass.ts'
import { createStoredBytes } from './stored-bytes.ts'

export interface SentSpan {
  trace: number
  span: number
  isFailing?: boolean
  isUnended?: boolean
  session?: string
  /** The store has it unended. */
  isReplacing?: boolean
  /** Bytes of noise, which compress to as many. */
  noise?: string
}

export interface SentLog {
  body: string
  /** None: a record without a trace. */
  trace?: number
}

/** telemetry.db written by the collector's own writer and decider at times that the test says, in a folder of its own. */
export type StoredTelemetry = ReturnType<typeof createStoredTelemetry>

const filter = createAttributeFilter([...WANTED_KEYS, ...DETECTION_KEYS], WANTED_PREFIXES)
const signalsOff = new Set<never>()
/** Other work on the machine must not make a test fail. */
const cpuMs = () => (process.cpuUsage().user + process.cpuUsage().system) / 1000
const NO_LIMIT = { retentionDays: 14, retentionMaxBytes: 2 ** 40 }

export function createStoredTelemetry() {
  const dataDir = mkdtempSync(join(tmpdir(), 'loopkit-retain-'))
  const path = join(dataDir, 'telemetry.db')
  const controlPath = join(dataDir, 'control.db')
  let nowMs = 0
  const clock: Clock = { nowMs: () => nowMs, monotonicMs: cpuMs }
  const control = createControl(controlPath)
  const { hashKey } = openStore(path, null)
  const logMoved = createLogMoved(new SharedArrayBuffer(WRITE_TURN_BYTES))
  const openWriter = () => createWriter({ path, rules: { filter, signalsOff }, redact: false, clock, logMoved })
  let writer = openWriter()
  const decider = createDecider({ telemetryPath: path, controlPath, quietMs: 0, decideAfterMs: 0, signalsOff, filter, clock })
  const store = openRetainedStore(path, clock, 1000)
  const storedBytes = createStoredBytes(store.db)
  const merger = createMerger(store, storedBytes)
  let folder = createTraceFolder(store)
  const projects = createKnownProjects(controlPath)
  const hashTrace = createTraceHashWriter(hashKey)
  const reader = openTelemetryReader(path)!

  function toBody(projectNo: number, sent: readonly SentSpan[]) {
    const contexts = sent.map(toSpan)
    const traces = new Uint32Array(sent.length * 2)
    for (const [n, { span }] of contexts.entries()) hashTrace(projectNo, span.traceId, 0, traces, n * 2)
    const replacing = contexts.filter((_, n) => sent[n]!.isReplacing)
    const replaced = Buffer.concat(replacing.flatMap(({ span }) => [span.traceId, span.spanId]))
    const newSpans = sent.length - replacing.length
    const body = encodeTraces(contexts)
    return { projectNo, recordKind: 'span' as const, body, spans: sent.length, newSpans, replaced, traces, ledger: [] }
  }

  /** Log records of errors, as the door keeps them. */
  function toLogBody(projectNo: number, sent: readonly SentLog[]) {
    const { body, scan } = keepLogs(encodeLogs(sent.map(toLog)), { anyValueDepthMax: 64 })
    const traces = new Uint32Array(scan.count * 2)
    for (let n = 0; n < scan.count; n++) hashTrace(projectNo, body, scan.traceIdAt[n]!, traces, n * 2)
    const records = { body, spans: scan.count, newSpans: scan.count, replaced: new Uint8Array(0), traces }
    return { projectNo, recordKind: 'log' as const, ...records, ledger: [] }
  }

  function commit(...bodies: BodyToCommit[]): number {
    const reply = writer.commit({ kind: 'commit', group: 1, bodies, ledger: [], keyUses: [] })
    if (reply.kind !== 'committed') throw new Error(JSON.stringify(reply))
    return reply.commit
  }

  return {
    dataDir,
    db: reader.db as SqliteDatabase,
    store,
    storedBytes,
    /** Answers the project's number. */
    project: (spec: ProjectSpec) => addProject(control, spec),
    control,
    at(ms: number) {
      nowMs = ms
    },
    /** One commit. Answers its number. */
    send: (projectNo: number, ...sent: SentSpan[]): number => commit(toBody(projectNo, sent)),
    sendLogs: (projectNo: number, ...sent: SentLog[]): number => commit(toLogBody(projectNo, sent)),
    checkpoints: createCheckpoints(store.db, path, 1000, logMoved.tell),
    tidyLog: () => writer.tidyLog(),
    restartFolder() {
      folder = createTraceFolder(store)
    },
    restartWriter() {
      writer.close()
      writer = openWriter()
    },
    decide: () => writer.noteDecided(BigUint64Array.from(decider.decideBatch().decided)),
    /** A whole pass; rows by table. */
    retain(options: Partial<PassOptions> = {}, isSweep = true): Record<string, number> {
      const removed: Record<string, number> = {}
      for (const { table, rows } of retentionPass(
        { store, projects, storedBytes, ...NO_LIMIT, ...options },
        nowMs,
        isSweep,
      ) as Iterable<Removed>)
        if (rows > 0) removed[table] = (removed[table] ?? 0) + rows
      return removed
    },
    /** Folds until there is nothing to fold; answers how many turns it took. */
    fold(): number {
      let turns = 0
      while (folder.foldNext()) turns++
      return turns
    },
    /** Merges until there is nothing to merge; answers how often. */
    merge(): number {
      let merges = 0
      for (let merged = merger.mergeNext(nowMs); merged !== 'idle'; merged = merger.mergeNext(nowMs))
        if (merged !== 'nothing') merges++
      return merges
    },
    trace: (projectNo: number, trace: number): StoredSpan[] =>
      readTraces(reader.db, reader.hasher, projectNo, [fromHex(traceIdOf(trace))!]).get(traceIdOf(trace)) ?? [],
    reader,
    count: (table: string, projectNo?: number): number =>
      reader.db
        .prepare(`select count(*) from ${table} ${projectNo === undefined ? '' : `where project_no = ${projectNo}`}`)
        .pluck()
        .get() as number,
    end() {
      projects.close()
      reader.db.close()
      store.close()
      decider.close()
      writer.close()
      control.close()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

const scope = { name: 'test', version: '', attributes: new Map(), droppedAttributesCount: 0, schemaUrl: '' }
const resource = { attributes: new Map([['service.name', 'shop']]), droppedAttributesCount: 0, schemaUrl: '' }
const START = 1_700_000_000_000_000_000n

const NO_ATTRIBUTES = { attributes: new Map(), droppedAttributesCount: 0, schemaUrl: '' }

function toLog({ body, trace }: SentLog): LogInContext {
  const log = {
    traceId: trace === undefined ? new Uint8Array(0) : fromHex(traceIdOf(trace))!,
    spanId: new Uint8Array(0),
    flags: 0,
    timeUnixNano: 1n,
    observedTimeUnixNano: 0n,
    severityNumber: 17,
    severityText: '',
    eventName: '',
    body,
    attributes: new Map(),
    droppedAttributesCount: 0,
  }
  return { resource: NO_ATTRIBUTES, scope: { ...NO_ATTRIBUTES, name: '', version: '' }, log }
}

function toSpan({ trace, span, isFailing = false, isUnended = false, session, noise }: SentSpan): SpanInContext {
  const attributes: OtlpAttributes = new Map()
  if (session !== undefined) attributes.set('session.id', session)
  if (noise !== undefined) attributes.set('noise', noise)
  return {
    resource,
    scope,
    span: {
      traceId: fromHex(traceIdOf(trace))!,
      spanId: fromHex(spanIdOf(span))!,
      parentSpanId: null,
      traceState: '',
      flags: 0,
      name: 'work',
      kind: 1,
      startUnixNano: START,
      endUnixNano: isUnended ? 0n : START + 1n,
      attributes,
      droppedAttributesCount: 0,
      events: [],
      droppedEventsCount: 0,
      links: [],
      droppedLinksCount: 0,
      status: isFailing ? { code: 2, message: 'failed' } : { code: 0, message: '' },
    },
  }
}
