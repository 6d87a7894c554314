import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { createSpanOracle, type SpanOracle } from '../faults/span-oracle.ts'
import { until } from '../harness/http.ts'
import { readJson } from '../harness/reading.ts'
import { type Product, type ProjectKeys, startProduct } from '../harness/start-product.ts'
import { startCountingRelay } from './counting-relay.ts'
import { findFreePort } from './free-port.ts'
import { type OtelCollector, prepareOtelCollector, startOtelCollector } from './otelcol-process.ts'
import { describeWith } from './toolchain.ts'

const MINUTE_MS = 60_000
const SENDERS = 3
const STEADY_MS = 1_500
const DOWN_MS = 1_500
const ARRIVE_MS = 60_000
const SPANS_MIN = 2_000
const BODIES_MIN = 10

const WHOLE = { missing: [], twice: [], spurious: [], changed: [] }

/** Goes through the project's otel-collector.yaml; gRPC only replaces the exporter. */
const GRPC_CONFIG = `
exporters:
  otlp/loopkit:
    endpoint: \${env:LOOPKIT_GRPC_ENDPOINT}
    tls: {insecure: true}
    headers: {Authorization: "Bearer \${env:LOOPKIT_PRODUCER_KEY}"}
    compression: gzip
    sending_queue: {enabled: true, block_on_overflow: false, sizer: items, queue_size: 200000, num_consumers: 10}
    retry_on_failure: {enabled: true, initial_interval: 500ms, max_interval: 5s, max_elapsed_time: 300s}
service: {pipelines: {traces: {exporters: [nop, otlp/loopkit]}}}
`

describeWith(['go'], 'the OpenTelemetry Collector in front', () => {
  let binary: string
  let product: Product
  let grpcPort: number
  let workDir: string
  let keys: ProjectKeys

  beforeAll(async () => {
    binary = await prepareOtelCollector()
    grpcPort = await findFreePort()
    product = await startProduct({ env: { LOOPKIT_OTLP_GRPC_PORT: String(grpcPort) } })
    workDir = mkdtempSync(join(tmpdir(), 'loopkit-interop-'))
  }, 15 * MINUTE_MS)
  afterAll(async () => {
    await product?.stop()
    rmSync(workDir, { recursive: true, force: true })
  })
  beforeEach(async () => {
    keys = await product.provision(`otelcol ${performance.now()}`)
  })

  test(
    'over HTTP with its queue: every span is stored once, through a stop and a kill of the sidecar',
    async () => {
      const relay = await startCountingRelay(product.otlpUrl)
      const collector = await startOtelCollector(binary, {
        env: { LOOPKIT_OTLP_URL: relay.url, LOOPKIT_PRODUCER_KEY: keys.producer_key },
      })
      try {
        await expectExactlyOnce(collector)
        expect(relay.requests.length).toBeGreaterThan(BODIES_MIN)
        expect(new Set(relay.requests.map(({ headers }) => headers['content-encoding']))).toEqual(new Set(['gzip']))
      } finally {
        await collector.stop()
        await relay.close()
      }
    },
    3 * MINUTE_MS,
  )

  test(
    'over gRPC with its queue: every span is stored once, through a stop and a kill of the sidecar',
    async () => {
      const config = join(workDir, 'grpc.yaml')
      writeFileSync(config, GRPC_CONFIG)
      const collector = await startOtelCollector(binary, {
        configs: [config],
        env: { LOOPKIT_GRPC_ENDPOINT: `127.0.0.1:${grpcPort}`, LOOPKIT_PRODUCER_KEY: keys.producer_key },
      })
      try {
        await expectExactlyOnce(collector)
      } finally {
        await collector.stop()
      }
    },
    3 * MINUTE_MS,
  )

  async function expectExactlyOnce(collector: OtelCollector): Promise<void> {
    const oracle = createSpanOracle(collector.url, keys.producer_key)
    await sendThroughRestarts(oracle)
    const accepted = () => readJson<{ accepted: number }>(`${product.analyzerUrl}/v1/ingest/ledger`, keys.agent_key)
    await until(
      `all ${oracle.acknowledged()} spans to arrive`,
      async () => ((await accepted()).accepted >= oracle.acknowledged() ? true : null),
      ARRIVE_MS,
    ).catch((error) => {
      throw new Error(`${error}\n${collector.output().slice(-4000)}`)
    })
    expect(oracle.acknowledged()).toBeGreaterThan(SPANS_MIN)
    expect((await accepted()).accepted).toBe(oracle.acknowledged())
    expect(await oracle.check(product.analyzerUrl, keys.agent_key)).toMatchObject(WHOLE)
    process.stderr.write(`${oracle.acknowledged()} spans through the OpenTelemetry Collector, each stored once\n`)
  }

  async function sendThroughRestarts(oracle: SpanOracle): Promise<void> {
    let isOver = false
    const sending = Promise.all(Array.from({ length: SENDERS }, (_, at) => oracle.drive(at, () => isOver)))
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      await pause(STEADY_MS)
      await product.endCollector(signal)
      await pause(DOWN_MS)
      await product.restartCollector()
    }
    await pause(STEADY_MS)
    isOver = true
    await sending
  }
})

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
