import { callApi } from '../harness/http.ts'
import { type ServiceProcess, startService, waitUntilReady } from '../harness/service-process.ts'
import type { ProjectKeys } from '../harness/start-product.ts'
import { type Answer, createSpanOracle, type OracleVerdict } from './span-oracle.ts'

/** The two services over one data folder, each started and ended on its own, with spans that stream in meanwhile. */
export interface FaultRig {
  keys: ProjectKeys
  otlpUrl(): string
  analyzerUrl(): string
  collector(): ServiceProcess
  /** Milliseconds until `/readyz` said 200. The port stays the same from start to start. */
  startCollector(env?: Record<string, string>): Promise<number>
  startAnalyzer(): Promise<void>
  endAnalyzer(): Promise<number | null>
  killAnalyzer(): Promise<number | null>
  /** Spans from several senders until the answer is called, which resolves when each has its last acknowledgement. */
  load(senders?: number): () => Promise<void>
  acknowledged(): number
  /** Every answer to the load so far. */
  answers: readonly Answer[]
  /** Everything acknowledged so far against what is stored. Both services must be running. */
  check(): Promise<KeptPromise>
  /** SIGTERM to both; the collector's exit code. Safe to call twice. */
  end(): Promise<number | null>
}

export interface KeptPromise extends OracleVerdict {
  /** What the ledger says was accepted: equal to `acknowledged` when nothing was counted twice. */
  accepted: number
  kept: boolean
}

const SENDERS = 4
const SETTINGS = { LOOPKIT_OTLP_GRPC_PORT: '0', LOOPKIT_SELF_TELEMETRY: 'false' }

/** Starts the analyzer over `dataDir`, makes a project, and starts the collector with `collectorEnv`. */
export async function createFaultRig(dataDir: string, collectorEnv: Record<string, string> = {}): Promise<FaultRig> {
  const answers: Answer[] = []
  let port = 0
  const startOne = async (name: 'collector' | 'analyzer', env: Record<string, string>) => {
    const service = await startService({ name, dataDir, env: { ...env, ...SETTINGS } })
    await waitUntilReady(service, name).catch(async (error) => {
      await service.end('SIGKILL')
      throw error
    })
    return service
  }
  const startAnalyzer = () => startOne('analyzer', { LOOPKIT_ANALYZER_PORT: '0' })
  const startCollector = (env: Record<string, string>) => startOne('collector', { LOOPKIT_OTLP_HTTP_PORT: `${port}`, ...env })

  let analyzer = await startAnalyzer()
  const urlOf = (service: ServiceProcess) => `http://127.0.0.1:${service.port}`
  const keys = await provision(urlOf(analyzer))
  let collector = await startCollector(collectorEnv).catch(async (error) => {
    await analyzer.end('SIGKILL')
    throw error
  })
  port = collector.port
  const otlpUrl = urlOf(collector)
  const oracle = createSpanOracle(otlpUrl, keys.producer_key, (answer) => answers.push(answer))
  return {
    keys,
    answers,
    otlpUrl: () => otlpUrl,
    analyzerUrl: () => urlOf(analyzer),
    collector: () => collector,
    startCollector: async (env = {}) => {
      const startedMs = performance.now()
      collector = await startCollector(env)
      return performance.now() - startedMs
    },
    startAnalyzer: async () => {
      analyzer = await startAnalyzer()
    },
    endAnalyzer: () => analyzer.end('SIGTERM'),
    killAnalyzer: () => analyzer.end('SIGKILL'),
    load: (senders = SENDERS) => {
      let over = false
      const sending = Promise.all(Array.from({ length: senders }, (_, sender) => oracle.drive(sender, () => over)))
      // Whoever ends the load is told; before that nobody listens.
      sending.catch(() => {})
      return async () => {
        over = true
        await sending.catch((error: Error) => {
          throw new Error(`${error.message}\n${collector.output()}`, { cause: error })
        })
      }
    },
    acknowledged: oracle.acknowledged,
    check: async () => {
      const verdict = await oracle.check(urlOf(analyzer), keys.agent_key)
      const ledger = await callApi(`${urlOf(analyzer)}/v1/ingest/ledger`, { key: keys.agent_key })
      return judge(verdict, ledger.json<{ accepted: number }>().accepted)
    },
    end: async () => {
      oracle.abandon()
      const [code] = await Promise.all([collector.end('SIGTERM'), analyzer.end('SIGTERM')])
      return code
    },
  }
}

function judge(verdict: OracleVerdict, accepted: number): KeptPromise {
  const { lost, doubled, spurious, changed, acknowledged } = verdict
  const kept = lost + doubled + spurious.length + changed.length === 0 && accepted === acknowledged && acknowledged > 0
  return { ...verdict, accepted, kept }
}

async function provision(analyzerUrl: string): Promise<ProjectKeys> {
  const answer = await callApi(`${analyzerUrl}/v1/provision`, { json: { project_name: 'faults' } })
  if (answer.status !== 201) throw new Error(`provision answered ${answer.status}: ${answer.text}`)
  return answer.json<ProjectKeys>()
}
