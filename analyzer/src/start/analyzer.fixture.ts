import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { readSettings } from '@loopkit/config/read-settings'
import { createLogger } from '@loopkit/shared/runtime/log'
import type { DiagnosisPacket } from '../domain/packet/model.ts'
import { type RunningAnalyzer, startAnalyzer } from './start-analyzer.ts'

export interface CallOptions {
  key?: string
  json?: unknown
  headers?: Record<string, string>
}

export interface CallAnswer<Body = AnswerBody> {
  status: number
  headers: Headers
  text: string
  /** The JSON of the answer; which of the fields it has is for the test to know. */
  body: Body
}

/** Fields of the answers that tests look into. */
export interface AnswerBody {
  code: string
  detail: string
  errors: { pointer: string; detail: string }[]
  project_id: string
  producer_key: string
  agent_key: string
  recovery_code: string
  dashboard_url: string
  ingest_url: string
  diagnose_url: string
  quota_spans: number | null
  expires_at: string
  recovery_epoch: number
  items: { project_id: string }[]
  next_cursor: string | null
  checks: Record<string, string>
  ok: boolean
  packet: DiagnosisPacket
}

export interface TestAnalyzer extends RunningAnalyzer {
  dataDir: string
  /** Milliseconds that the analyzer's clock is ahead of the machine's. */
  advance(ms: number): void
  nowMs(): number
  call<Body = AnswerBody>(method: string, path: string, options?: CallOptions): Promise<CallAnswer<Body>>
  /** Everything that was logged so far. */
  logged(): string
  /** Everything that lies in the data folder, as one string of bytes. */
  onDisk(): string
  end(): Promise<void>
}

export interface TestAnalyzerOptions {
  env?: Record<string, string>
  dataDir?: string
  showOnTerminal?: (text: string) => void
}

/** A whole analyzer in this process, on a free port over a folder of its own, with every contract enforced. */
export async function startTestAnalyzer({ env = {}, dataDir, showOnTerminal }: TestAnalyzerOptions = {}): Promise<TestAnalyzer> {
  const folder = dataDir ?? mkdtempSync(join(tmpdir(), 'loopkit-analyzer-'))
  let lines = ''
  let ahead = 0
  const destination = new PassThrough().on('data', (chunk: Buffer) => {
    lines += chunk.toString()
  })
  const nowMs = () => Date.now() + ahead
  const settings = {
    LOOPKIT_DATA_DIR: folder,
    LOOPKIT_ANALYZER_PORT: '0',
    LOOPKIT_ONBOARDING_PER_MINUTE: '100000',
    LOOPKIT_SELF_TELEMETRY: 'false',
    ...env,
  }
  const running = await startAnalyzer({
    settings: readSettings(settings),
    clock: { nowMs, monotonicMs: () => performance.now() },
    log: createLogger({ service: 'analyzer', level: 'debug', pretty: false, destination }),
    pid: process.pid,
    version: '0.0.0',
    showOnTerminal: showOnTerminal ?? null,
    enforceContract: true,
  })
  return {
    ...running,
    dataDir: folder,
    advance: (ms) => {
      ahead += ms
    },
    nowMs,
    call: (method, path, options) => call(running.url + path, method, options),
    logged: () => lines,
    onDisk: () => readFolder(folder),
    end: async () => {
      await running.stop()
      if (dataDir === undefined) rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function call<Body>(url: string, method: string, { key, json, headers = {} }: CallOptions = {}): Promise<CallAnswer<Body>> {
  const response = await fetch(url, {
    method,
    headers: { ...headers, ...(key !== undefined && { authorization: `Bearer ${key}` }) },
    ...(json !== undefined && { body: typeof json === 'string' ? json : JSON.stringify(json) }),
  })
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.includes('json')
  return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : null }
}

function readFolder(folder: string): string {
  return readdirSync(folder)
    .map((name) => join(folder, name))
    .map((path) => (statSync(path).isDirectory() ? readFolder(path) : readFileSync(path, 'latin1')))
    .join('\n')
}
