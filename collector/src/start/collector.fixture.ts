import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readSettings } from '@loopkit/config/read-settings'
import { controlMigrations } from '@loopkit/shared/database/control/migrations'
import { migrate } from '@loopkit/shared/database/migrate'
import { openDatabase, type SqliteDatabase } from '@loopkit/shared/database/open'
import { openTelemetryReader } from '@loopkit/shared/database/telemetry/open-telemetry'
import { readTraces, type StoredSpan } from '@loopkit/shared/database/telemetry/read-trace'
import { fromHex } from '@loopkit/shared/otlp/ids'
import { systemClock } from '@loopkit/shared/runtime/clock'
import { createLogger } from '@loopkit/shared/runtime/log'
import { type RunningCollector, startCollector } from './start-collector.ts'

export interface ProjectSpec {
  name: string
  quotaSpans?: number
  sandbox?: boolean
  expiresAtMs?: number
  deletedAtMs?: number
}

export interface KeySpec {
  key: string
  projectNo: number
  scopes?: string
  revokedAtMs?: number
  expiresAtMs?: number
}

export interface Answer {
  status: number
  headers: Record<string, string | string[] | undefined>
  body: Buffer
  json(): Record<string, unknown>
}

export interface SendOptions {
  path?: string
  method?: string
  key?: string | null
  headers?: Record<string, string | string[]>
}

/** A collector in this process, on real files in a folder of its own, with a control.db as the analyzer would write it. */
export interface TestCollector {
  dataDir: string
  port(): number
  grpcPort(): number
  control: SqliteDatabase
  fatal: { exitCode: number; message: string }[]
  logLines: Record<string, unknown>[]
  send(body: Uint8Array | string, options?: SendOptions): Promise<Answer>
  /** Rows of telemetry.db; integers as bigint. */
  rows(sql: string, ...values: unknown[]): Record<string, unknown>[]
  /** Stored spans of a trace. */
  trace(traceIdHex: string, projectNo?: number): StoredSpan[]
  restart(): Promise<void>
  stop(): Promise<void>
}

export const KEY = 'lk_ingest_test'

export function addProject(control: SqliteDatabase, project: ProjectSpec): number {
  const { name, quotaSpans = null, sandbox = false, expiresAtMs = null, deletedAtMs = null } = project
  const { lastInsertRowid } = control
    .prepare(`
      insert into project (project_id, tenant_id, project_name, operator, sandbox, quota_spans, expires_at_ms, deleted_at_ms, created_at_ms)
      values (?, 'sandbox', ?, '', ?, ?, ?, ?, 0)`)
    .run(`${name}-00000000`, name, sandbox ? 1 : 0, quotaSpans, expiresAtMs, deletedAtMs)
  return Number(lastInsertRowid)
}

export function addKey(control: SqliteDatabase, spec: KeySpec): void {
  const { key, projectNo, scopes = 'telemetry:write', revokedAtMs = null, expiresAtMs = null } = spec
  control
    .prepare(`
      insert into api_key (key_id, project_no, key_hash, prefix, last_four, kind, scopes, created_at_ms, expires_at_ms, revoked_at_ms)
      values (?, ?, ?, 'lk_ingest_', 'test', 'producer', ?, 0, ?, ?)`)
    .run(`key_${key}`, projectNo, createHash('sha256').update(key).digest(), scopes, expiresAtMs, revokedAtMs)
}

export interface TestCollectorOptions {
  env?: Record<string, string>
  quotaSpans?: number
  /** Start without control.db. */
  withoutControl?: boolean
  /** An empty folder; else one is made. */
  dataDir?: string
}

/** Project 1 is `default` and KEY may write to it. */
export async function startTestCollector({
  env = {},
  quotaSpans,
  withoutControl,
  dataDir = mkdtempSync(join(tmpdir(), 'loopkit-collector-')),
}: TestCollectorOptions = {}): Promise<TestCollector> {
  const control = createControl(withoutControl ? ':memory:' : join(dataDir, 'control.db'))
  addKey(control, { key: KEY, projectNo: addProject(control, { name: 'default', quotaSpans }) })
  const settings = readSettings({
    LOOPKIT_DATA_DIR: dataDir,
    LOOPKIT_OTLP_HTTP_PORT: '0',
    LOOPKIT_OTLP_GRPC_PORT: '0',
    LOOPKIT_QUIET_MS: '100',
    LOOPKIT_LOG_LEVEL: 'info',
    LOOPKIT_BALLAST_MAX_BYTES: '0',
    ...env,
  })
  const fatal: TestCollector['fatal'] = []
  const logLines: TestCollector['logLines'] = []
  const log = createLogger({
    service: 'collector',
    level: settings.logLevel,
    pretty: false,
    destination: { write: (line: string) => void logLines.push(JSON.parse(line)) },
  })
  const start = () =>
    startCollector({
      settings,
      clock: systemClock,
      log,
      version: '0.0.0',
      pid: 1,
      random: () => 0.5,
      decodeWorkers: 1,
      warmsUp: false,
      onFatal: (exitCode, { message }) => fatal.push({ exitCode, message }),
    })
  let running: RunningCollector = await start()
  return {
    dataDir,
    port: () => running.port,
    grpcPort: () => running.grpcPort,
    control,
    fatal,
    logLines,
    send: (body, options) => send(running.port, body, options),
    rows: (sql, ...values) =>
      withReader(
        dataDir,
        ({ db }) =>
          db
            .prepare(sql)
            .safeIntegers()
            .all(...values) as Record<string, unknown>[],
      ),
    trace: (traceIdHex, projectNo = 1) =>
      withReader(
        dataDir,
        ({ db, hasher }) => readTraces(db, hasher, projectNo, [fromHex(traceIdHex)!]).get(traceIdHex.toLowerCase()) ?? [],
      ),
    async restart() {
      await running.stop()
      running = await start()
    },
    async stop() {
      await running.stop()
      control.close()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

export function createControl(path: string): SqliteDatabase {
  const control = openDatabase(path, { role: 'writer' })
  migrate(control, controlMigrations)
  return control
}

function withReader<T>(dataDir: string, read: (reader: NonNullable<ReturnType<typeof openTelemetryReader>>) => T): T {
  const reader = openTelemetryReader(join(dataDir, 'telemetry.db'))
  if (!reader) throw new Error('telemetry.db is not there')
  try {
    return read(reader)
  } finally {
    reader.db.close()
  }
}

function send(port: number, body: Uint8Array | string, options: SendOptions = {}): Promise<Answer> {
  const { path = '/v1/traces', method = 'POST', key = KEY, headers = {} } = options
  const contentType = typeof body === 'string' ? 'application/json' : 'application/x-protobuf'
  return new Promise((resolve, reject) => {
    const request = httpRequest({
      port,
      host: '127.0.0.1',
      path,
      method,
      agent: false,
      headers: { 'content-type': contentType, ...(key !== null && { authorization: `Bearer ${key}` }), ...headers },
    })
    request.on('error', reject)
    request.on('response', (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const whole = Buffer.concat(chunks)
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: whole,
          json: () => JSON.parse(whole.toString()) as Record<string, unknown>,
        })
      })
    })
    request.end(body)
  })
}

/** Asks again until `read` answers something other than null. */
export async function until<T>(what: string, read: () => T | null, deadlineMs = 10_000): Promise<T> {
  const endMs = performance.now() + deadlineMs
  for (;;) {
    const found = read()
    if (found !== null) return found
    if (performance.now() > endMs) throw new Error(`waited in vain for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

export interface SpanSpec {
  traceId: string
  spanId: string
  parentSpanId?: string
  name?: string
  start?: string
  end?: string
  status?: { code: number; message?: string }
  attributes?: Record<string, string>
}

/** A request in OTLP/JSON. */
export function traceJson(spans: readonly SpanSpec[], service = 'shop'): string {
  return JSON.stringify({
    resourceSpans: [
      {
        resource: { attributes: attributesJson({ 'service.name': service }) },
        scopeSpans: [{ scope: { name: 'test' }, spans: spans.map(spanJson) }],
      },
    ],
  })
}

function spanJson({ traceId, spanId, parentSpanId, name, start, end, status, attributes }: SpanSpec) {
  return {
    traceId,
    spanId,
    ...(parentSpanId !== undefined && { parentSpanId }),
    name: name ?? 'work',
    startTimeUnixNano: start ?? '1700000000000000000',
    ...(end !== '' && { endTimeUnixNano: end ?? '1700000000500000000' }),
    ...(status && { status }),
    attributes: attributesJson(attributes ?? {}),
  }
}

function attributesJson(attributes: Record<string, string>) {
  return Object.entries(attributes).map(([key, stringValue]) => ({ key, value: { stringValue } }))
}

/** 16 bytes of hex from a number. */
export const traceIdOf = (n: number): string => n.toString(16).padStart(32, '0')
export const spanIdOf = (n: number): string => n.toString(16).padStart(16, '0')
