import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { until } from '../harness/http.ts'
import { type RecordJson, readAll, readJson } from '../harness/reading.ts'
import { type Product, startProduct } from '../harness/start-product.ts'
import { findFreePort } from './free-port.ts'
import { buildOnce, describeWith, run, runBuild } from './toolchain.ts'

const MODULE = 'github.com/open-telemetry/opentelemetry-collector-contrib/cmd/telemetrygen@v0.161.0'
const MINUTE_MS = 60_000
const TRACES = 100
const CHILD_SPANS = 4
const SPANS = TRACES * (1 + CHILD_SPANS)
const RECORDS = 50

interface Ledger {
  accepted: number
  not_kept?: Record<string, number>
}

describeWith(['go'], 'telemetrygen', () => {
  let telemetrygen: string
  let product: Product
  let grpcPort: number

  beforeAll(async () => {
    const folder = await buildOnce('telemetrygen', [MODULE], async (to) => {
      await runBuild({ command: 'go', args: ['install', MODULE], env: { GOBIN: to } })
    })
    telemetrygen = join(folder, 'telemetrygen')
    grpcPort = await findFreePort()
    product = await startProduct({ env: { LOOPKIT_OTLP_GRPC_PORT: String(grpcPort) } })
  }, 15 * MINUTE_MS)
  afterAll(() => product?.stop())

  const generate = (signal: 'traces' | 'logs' | 'metrics', protocol: 'http' | 'grpc', key: string, more: string[]) =>
    run({
      command: telemetrygen,
      args: [
        signal,
        '--otlp-insecure',
        ...(protocol === 'http' ? ['--otlp-http'] : []),
        '--otlp-endpoint',
        protocol === 'http' ? new URL(product.otlpUrl).host : `127.0.0.1:${grpcPort}`,
        '--otlp-header',
        `Authorization="Bearer ${key}"`,
        '--rate',
        '0',
        ...more,
      ],
    })

  test.each(['http', 'grpc'] as const)(
    'every span that it sends over %s is stored once, and its logs and metrics fail nothing',
    async (protocol) => {
      const keys = await product.provision(`telemetrygen ${protocol}`)
      await generate('traces', protocol, keys.producer_key, ['--traces', String(TRACES), '--child-spans', String(CHILD_SPANS)])
      // It takes the hourly notice that logs are not kept, a partial success with nothing rejected, for a failure.
      const tolerant = '--allow-export-failures'
      await generate('logs', protocol, keys.producer_key, ['--logs', String(RECORDS), tolerant])
      await generate('metrics', protocol, keys.producer_key, ['--metrics', String(RECORDS), tolerant])
      const ledger = await until('all spans in the ledger', async () => {
        const found = await readJson<Ledger>(`${product.analyzerUrl}/v1/ingest/ledger`, keys.agent_key)
        return found.accepted >= SPANS ? found : null
      })
      expect(ledger).toMatchObject({ accepted: SPANS, deduplicated: 0, rejected: {}, refused_requests: {} })
      const records = await readAll<RecordJson>(`${product.analyzerUrl}/v1/telemetry?since_minutes=10&limit=200`, keys.agent_key)
      expect(new Set(records.map(({ span_id }) => span_id)).size).toBe(SPANS)
      expect(new Set(records.map(({ trace_id }) => trace_id)).size).toBe(TRACES)
    },
    2 * MINUTE_MS,
  )
})
