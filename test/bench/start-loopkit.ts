import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { callApi, until } from '../harness/http.ts'
import { projectRoot } from '../harness/service-process.ts'
import type { ProjectKeys } from '../harness/start-product.ts'
import { type BenchServer, startProcess } from './bench-server.ts'

const READY_MS = 60_000

export interface BenchedProduct extends BenchServer {
  dataDir: string
  keys: ProjectKeys
  analyzerUrl: string
  /** Milliseconds from the start of the process until both services said that they are ready. */
  readyMs: number
  /** kill -9 for everything, with the data left as it is. */
  kill(): Promise<void>
}

export interface LoopkitOptions {
  env?: NodeJS.ProcessEnv
  /** Of an earlier run; else a new one. */
  dataDir?: string
}

/** Starts the product as `npm start` does, with the settings that it has by default but for its ports. */
export async function startLoopkit(base: NodeJS.ProcessEnv, { env = {}, dataDir }: LoopkitOptions = {}): Promise<BenchedProduct> {
  const folder = dataDir ?? mkdtempSync(join(tmpdir(), 'loopkit-bench-'))
  const ports = {
    LOOPKIT_OTLP_HTTP_PORT: '0',
    LOOPKIT_OTLP_GRPC_PORT: '0',
    LOOPKIT_ANALYZER_PORT: '0',
    LOOPKIT_PUBLIC_OTLP_URL: '',
  }
  for (const name of ['collector', 'analyzer']) rmSync(join(folder, 'run', `${name}.json`), { force: true })
  const startedMs = performance.now()
  const settings = { ...withoutSettings(base), ...ports, LOOPKIT_DATA_DIR: folder, ...env }
  const running = startProcess(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', join(projectRoot, 'cli/src/main.ts'), 'up'],
    settings,
  )
  const wait = <T>(what: string, look: () => T | null | Promise<T | null>) =>
    until(
      `${what}\n${running.output()}`,
      () => {
        if (running.hasEnded()) throw new Error(`the product ended\n${running.output()}`)
        return look()
      },
      READY_MS,
    )
  try {
    const collector = await wait('the collector', () => readFacts(folder, 'collector'))
    const analyzer = await wait('the analyzer', () => readFacts(folder, 'analyzer'))
    const analyzerUrl = `http://127.0.0.1:${analyzer.analyzerPort}`
    const otlpUrl = `http://127.0.0.1:${collector.otlpHttpPort}`
    await wait('the product to be ready', async () => ((await isReady(otlpUrl)) && (await isReady(analyzerUrl)) ? true : null))
    const readyMs = performance.now() - startedMs
    const keys = await provision(analyzerUrl)
    return {
      name: 'loopkit',
      httpPort: collector.otlpHttpPort!,
      grpcPort: collector.otlpGrpcPort!,
      key: keys.producer_key,
      pid: collector.pid!,
      dataDir: folder,
      keys,
      analyzerUrl,
      readyMs,
      kill: () => running.end('SIGKILL'),
      stop: async () => {
        await running.end('SIGTERM')
        rmSync(folder, { recursive: true, force: true })
      },
    }
  } catch (error) {
    await running.end('SIGKILL')
    throw error
  }
}

function withoutSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/^(LOOPKIT_|OTEL_|NODE_OPTIONS$)/.test(name)))
}

function readFacts(dataDir: string, service: string): Record<string, number> | null {
  const path = join(dataDir, 'run', `${service}.json`)
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Record<string, number>) : null
}

async function isReady(url: string): Promise<boolean> {
  return (await callApi(`${url}/readyz`).catch(() => null))?.status === 200
}

async function provision(analyzerUrl: string): Promise<ProjectKeys> {
  const answer = await callApi(`${analyzerUrl}/v1/provision`, {
    json: { project_name: `bench ${Math.round(performance.now())}` },
  })
  if (answer.status !== 201) throw new Error(`provision answered ${answer.status}: ${answer.text}`)
  return answer.json<ProjectKeys>()
}
