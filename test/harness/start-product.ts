import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { callApi } from './http.ts'
import { type ServiceProcess, startService, waitUntilReady } from './service-process.ts'

/** What provisioning answers (contract §2); the fields tests use. */
export interface ProjectKeys {
  project_id: string
  producer_key: string
  agent_key: string
  recovery_code: string
  dashboard_url: string
  ingest_url: string
  diagnose_url: string
}

export interface Product {
  analyzerUrl: string
  otlpUrl: string
  dataDir: string
  provision(name: string): Promise<ProjectKeys>
  collectorPid(): number
  /** Ends the collector and waits until it is gone; its exit code, null where the signal ended it. */
  endCollector(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null>
  /** Starts the collector again on the same port and data, and waits until it is ready. */
  restartCollector(): Promise<void>
  /** What both processes printed last. */
  output(): string
  /** SIGTERM to both; their exit codes. Removes the data folder. Safe to call twice. */
  stop(): Promise<{ collector: number | null; analyzer: number | null }>
}

export interface ProductOptions {
  /** Settings on top of the harness's own: free ports and a temporary data folder. */
  env?: Record<string, string>
}

/** Starts the real product: two processes on free ports over a data folder of its own. Resolves when both are ready. */
export async function startProduct({ env = {} }: ProductOptions = {}): Promise<Product> {
  const dataDir = mkdtempSync(join(tmpdir(), 'loopkit-test-'))
  const settings = {
    LOOPKIT_OTLP_GRPC_PORT: '0',
    LOOPKIT_ONBOARDING_PER_MINUTE: '100000',
    LOOPKIT_SELF_TELEMETRY: 'false',
    ...env,
  }
  const start = (name: 'collector' | 'analyzer', own: Record<string, string>) =>
    startService({ name, dataDir, env: { ...own, ...settings } })

  const removeData = () => rmSync(dataDir, { recursive: true, force: true })
  const started = await startBoth(start).catch((error) => {
    removeData()
    throw error
  })
  const { analyzer } = started
  let { collector } = started
  const otlpUrl = `http://127.0.0.1:${collector.port}`
  const analyzerUrl = `http://127.0.0.1:${analyzer.port}`
  const output = () => `--- collector\n${collector.output()}\n--- analyzer\n${analyzer.output()}`
  return {
    analyzerUrl,
    otlpUrl,
    dataDir,
    provision: (name) => provision(analyzerUrl, name, output),
    collectorPid: () => collector.pid,
    endCollector: (signal) => collector.end(signal),
    restartCollector: async () => {
      collector = await start('collector', { LOOPKIT_OTLP_HTTP_PORT: String(collector.port) })
      await waitUntilReady(collector, 'collector')
    },
    output,
    stop: async () => {
      const [collectorCode, analyzerCode] = await Promise.all([collector.end('SIGTERM'), analyzer.end('SIGTERM')])
      removeData()
      return { collector: collectorCode, analyzer: analyzerCode }
    },
  }
}

type Start = (name: 'collector' | 'analyzer', own: Record<string, string>) => Promise<ServiceProcess>

/** Both or none. The analyzer is told the collector's port, so that the URLs in its answers are right. */
async function startBoth(start: Start): Promise<{ collector: ServiceProcess; analyzer: ServiceProcess }> {
  const collector = await start('collector', { LOOPKIT_OTLP_HTTP_PORT: '0' })
  let analyzer: ServiceProcess | undefined
  try {
    analyzer = await start('analyzer', { LOOPKIT_ANALYZER_PORT: '0', LOOPKIT_OTLP_HTTP_PORT: String(collector.port) })
    await waitUntilReady(collector, 'collector')
    await waitUntilReady(analyzer, 'analyzer')
    return { collector, analyzer }
  } catch (error) {
    await Promise.all([collector.end('SIGKILL'), analyzer?.end('SIGKILL')])
    throw error
  }
}

async function provision(analyzerUrl: string, name: string, output: () => string): Promise<ProjectKeys> {
  const answer = await callApi(`${analyzerUrl}/v1/provision`, { json: { project_name: name } })
  if (answer.status !== 201) throw new Error(`provision answered ${answer.status}: ${answer.text}\n${output()}`)
  return answer.json<ProjectKeys>()
}
