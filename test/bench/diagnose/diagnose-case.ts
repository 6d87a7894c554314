import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDatabase } from '@loopkit/shared/database/open'
import { callApi } from '../../harness/http.ts'
import { cutRequests } from '../cut-requests.ts'
import { driveLoad } from '../drive-load.ts'
import { createLoadTemplate } from '../load-template.ts'
import { cpuSeconds } from '../process-cost.ts'
import { rounded } from '../run-case.ts'
import { type BenchedProduct, startLoopkit } from '../start-loopkit.ts'
import { folderBytes } from '../stored-bytes.ts'
import { fillStore } from './fill-store.ts'
import { painfulShop } from './painful-shop.ts'

/** What one question costs on a store of so many spans, answered by the running product while spans come in. */
export interface DiagnoseFigures {
  spans: number
  pains: number
  question: string
  /** Before anything was asked: the first question of the product's life. */
  first_ms: number
  p50_ms: number
  p95_ms: number
  /** Processor time of the analyzer for one answer. */
  cpu_ms: number
  ingest_spans_per_s: number
  bytes_per_span: number
}

export interface DiagnoseOptions {
  sizes: readonly number[]
  /** How long each question is asked again and again. */
  forMs: number
  env: NodeJS.ProcessEnv
  print(line: string): void
}

const INGEST_SPANS_PER_SECOND = 5_000
const BATCH = 200
const CONNECTIONS = 2
const INGEST_TEMPLATES = 4
/** Traces under way when the questions begin: some are undecided, as always. */
const INGEST_BEFORE_MS = 3_000
const DAY_MINUTES = 1_440

interface Question {
  name: string
  ask(product: BenchedProduct): Promise<unknown>
}

const QUESTIONS: readonly Question[] = [
  { name: 'diagnose', ask: (product) => diagnose(product, {}) },
  { name: 'diagnose, 8,000 tokens', ask: (product) => diagnose(product, { budget_tokens: 8_000 }) },
  { name: 'pains', ask: (product) => get(product, '/v1/pains') },
  { name: 'dashboard', ask: (product) => get(product, '/v1/dashboard') },
  { name: 'observe', ask: (product) => post(product, '/v1/observe', { peek: true }) },
]

export async function runDiagnoseCase({ sizes, forMs, env, print }: DiagnoseOptions): Promise<DiagnoseFigures[]> {
  const figures: DiagnoseFigures[] = []
  for (const spans of sizes) {
    const { dataDir, keys, stored } = await makeStore(spans, env, print)
    const started = await startLoopkit(env, { dataDir })
    const product = { ...started, keys, key: keys.producer_key }
    try {
      figures.push(...(await askAll(product, { spans: stored, forMs, print })))
    } finally {
      await started.stop()
      rmSync(dataDir, { recursive: true, force: true })
    }
  }
  return figures
}

/** A day of so many spans in a folder of its own, for a project that the product itself made. */
async function makeStore(spans: number, env: NodeJS.ProcessEnv, print: (line: string) => void) {
  const dataDir = mkdtempSync(join(tmpdir(), 'loopkit-diagnose-'))
  const product = await startLoopkit(env, { dataDir })
  await product.kill()
  const startedMs = performance.now()
  const projectNo = projectNoOf(dataDir, product.keys.project_id)
  const stored = fillStore({ dataDir, projectNo, spans, endMs: Date.now(), print })
  print(`${stored} spans stored in ${Math.round((performance.now() - startedMs) / 1000)} s`)
  return { dataDir, keys: product.keys, stored }
}

function projectNoOf(dataDir: string, projectId: string): number {
  const db = openDatabase(join(dataDir, 'control.db'), { role: 'reader' })
  try {
    return db.prepare('select project_no from project where project_id = ?').pluck().get(projectId) as number
  } finally {
    db.close()
  }
}

interface Asking {
  spans: number
  forMs: number
  print(line: string): void
}

async function askAll(product: BenchedProduct, { spans, forMs, print }: Asking): Promise<DiagnoseFigures[]> {
  const bytesPerSpan = rounded(folderBytes(product.dataDir) / spans)
  const templates = Array.from({ length: INGEST_TEMPLATES }, (_, seed) => cutRequests([painfulShop(1000 + seed)], () => BATCH))
    .flat()
    .map((request) => createLoadTemplate(request, 'protobuf', BigInt(Date.now()) * 1_000_000n))
  const first = await timed(() => diagnose(product, {}))
  const ingesting = driveLoad({
    ...{ host: '127.0.0.1', port: product.httpPort, key: product.key, transport: 'http', gzip: false, connections: CONNECTIONS },
    ...{ warmUpMs: 0, forMs: INGEST_BEFORE_MS + forMs * QUESTIONS.length, spansPerSecond: INGEST_SPANS_PER_SECOND, spansMax: 0 },
    templates,
  })
  await new Promise((resolve) => setTimeout(resolve, INGEST_BEFORE_MS))
  const measured: Omit<DiagnoseFigures, 'ingest_spans_per_s'>[] = []
  for (const question of QUESTIONS) {
    const { tookMs, cpuMs } = await askFor(product, question, forMs)
    const at = (share: number) => rounded(tookMs[Math.min(tookMs.length - 1, Math.floor(tookMs.length * share))]!, 1)
    measured.push({
      ...{ spans, pains: first.pains, question: question.name, first_ms: rounded(first.ms, 1) },
      ...{ p50_ms: at(0.5), p95_ms: at(0.95), cpu_ms: rounded(cpuMs, 1), bytes_per_span: bytesPerSpan },
    })
    print(JSON.stringify(measured.at(-1)))
  }
  const { spans: sent, seconds } = await ingesting
  return measured.map((one) => ({ ...one, ingest_spans_per_s: Math.round(sent / seconds) }))
}

/** One after the other, as an agent asks. */
async function askFor(product: BenchedProduct, { ask }: Question, forMs: number) {
  const pid = Number(readFileSync(join(product.dataDir, 'run', 'analyzer.pid'), 'utf8'))
  const tookMs: number[] = []
  const cpuBefore = cpuSeconds(pid)
  for (const endMs = performance.now() + forMs; performance.now() < endMs || tookMs.length === 0; ) {
    const { ms } = await timed(() => ask(product))
    tookMs.push(ms)
  }
  const cpuMs = ((cpuSeconds(pid) - cpuBefore) * 1000) / tookMs.length
  return { tookMs: tookMs.sort((a, b) => a - b), cpuMs }
}

async function timed<T>(ask: () => Promise<T>): Promise<{ ms: number; pains: number }> {
  const startMs = performance.now()
  const answer = (await ask()) as { packet?: { issues: unknown[]; omitted: { what: string; count: number; reason: string }[] } }
  const ms = performance.now() - startMs
  const left = answer.packet?.omitted.find(({ what, reason }) => what === 'issues' && reason === 'lower_rank')?.count ?? 0
  return { ms, pains: (answer.packet?.issues.length ?? 0) + left }
}

const diagnose = (product: BenchedProduct, body: Record<string, unknown>) =>
  post(product, '/v1/runs/diagnose', { since_minutes: DAY_MINUTES, ...body })

const post = (product: BenchedProduct, path: string, json: Record<string, unknown>) =>
  checked(callApi(`${product.analyzerUrl}${path}`, { key: product.keys.agent_key, json }))

const get = (product: BenchedProduct, path: string) =>
  checked(callApi(`${product.analyzerUrl}${path}`, { key: product.keys.agent_key }))

async function checked(asked: ReturnType<typeof callApi>): Promise<unknown> {
  const answer = await asked
  if (answer.status !== 200) throw new Error(`answered ${answer.status}: ${answer.text.slice(0, 300)}`)
  return answer.json()
}
