import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { callApi, until } from '../harness/http.ts'
import type { TraceRequestJson } from '../harness/otlp-json.ts'
import { readJson } from '../harness/reading.ts'
import { type Product, type ProjectKeys, startProduct } from '../harness/start-product.ts'
import { type CountingRelay, startCountingRelay } from './counting-relay.ts'
import { findFreePort } from './free-port.ts'
import { planSpans, spansPlanned } from './plan-spans.ts'
import { type Compression, type Protocol, type SourceProgram, sourcePrograms } from './source-programs.ts'
import { expectStored, readTraces, traceIdsOf } from './stored-spans.ts'
import { startTcpRelay, type TcpRelay } from './tcp-relay.ts'
import { type Command, describeWith, run } from './toolchain.ts'

const MINUTE_MS = 60_000
const BUILD_MS = 10 * MINUTE_MS
const SEND_MS = 90_000
const ADMIN_TOKEN = 'interop-admin-token-0123456789abcdef'
const BATCHES_MIN = Math.ceil(spansPlanned / 64)
const QUOTA_SPANS = 100

interface Outcome {
  succeeded: number
  failed: number
  errors: string[]
}

interface Ledger {
  accepted: number
  rejected: Record<string, number>
}

interface Sending {
  url: string
  key: string
  plan: TraceRequestJson
  protocol: Protocol
  compression: Compression
}

let product: Product
let grpcPort: number
let workDir: string
beforeAll(async () => {
  grpcPort = await findFreePort()
  product = await startProduct({ env: { T4_ADMIN_TOKEN: ADMIN_TOKEN, LOOPKIT_OTLP_GRPC_PORT: String(grpcPort) } })
  workDir = mkdtempSync(join(tmpdir(), 'loopkit-interop-'))
}, MINUTE_MS)
afterAll(async () => {
  await product?.stop()
  rmSync(workDir, { recursive: true, force: true })
})

describe.each(sourcePrograms.map((program) => ({ program, name: program.name })))('the $name SDK', ({ program, name }) => {
  describeWith(program.needs, `the exporter of ${name}`, () => {
    testHttp(program)
    testGrpc(program)
  })
})

function testHttp(program: SourceProgram): void {
  let command: Command
  let keys: ProjectKeys
  let relay: CountingRelay
  const [protocol, compression] = program.variants.at(-1)!

  beforeAll(async () => {
    command = await program.prepare()
  }, BUILD_MS)

  /** Sends a fresh plan into a fresh project through a relay; what the exporter said. */
  async function send(
    given: Partial<Sending> & { targetUrl?: string } = {},
  ): Promise<{ outcome: Outcome; plan: TraceRequestJson }> {
    keys = await product.provision(`${program.name} ${performance.now()}`)
    relay = await startCountingRelay(given.targetUrl ?? product.otlpUrl)
    const plan = planSpans(`${program.name}-${performance.now()}`, program)
    const sending = { url: relay.url, key: keys.producer_key, plan, protocol, compression, ...given }
    return { outcome: await runProgram(command, sending), plan }
  }
  const stored = (plan: TraceRequestJson) => readTraces(product.analyzerUrl, keys.agent_key, traceIdsOf(plan))
  afterEach(() => relay?.close())

  function expectEachSentOnce(status: number): void {
    expect(new Set(relay.requests.map((request) => request.status))).toEqual(new Set([status]))
    expect(new Set(relay.requests.map(({ bodyDigest }) => bodyDigest)).size).toBe(relay.requests.length)
  }

  test.each(program.variants)(
    '%s, compression %s: every span comes back equal',
    async (protocol, compression) => {
      const { outcome, plan } = await send({ protocol, compression })
      expect(outcome).toEqual({ succeeded: expect.any(Number), failed: 0, errors: [] })
      expect(outcome.succeeded).toBeGreaterThanOrEqual(BATCHES_MIN)
      const sent = new Set(
        relay.requests.map(({ headers }) => `${headers['content-type']} ${headers['content-encoding'] ?? 'none'}`),
      )
      expect([...sent]).toEqual([`application/${protocol === 'http/json' ? 'json' : 'x-protobuf'} ${compression}`])
      expectStored(await stored(plan), plan)
    },
    SEND_MS,
  )

  const awkward = program.javaScript ? test : test.skip
  awkward(
    'numbers that JSON has no word for fail no batch and hide no other attribute',
    async () => {
      const plan = planSpans(`awkward-${performance.now()}`, program)
      const numbers = Object.entries({ nan: 'NaN', infinity: '-Infinity', huge: 1e21 })
      const [span] = plan.resourceSpans[0]?.scopeSpans[0]?.spans ?? []
      span?.attributes?.push(...numbers.map(([key, doubleValue]) => ({ key, value: { doubleValue } })))
      const { outcome } = await send({ plan, protocol: 'http/json' })
      expect(outcome).toMatchObject({ failed: 0, errors: [] })
      const records = await stored(plan)
      expect(records).toHaveLength(spansPlanned)
      const shown = records.find(({ span_id }) => span_id === span?.spanId)?.attributes
      expect(shown).toMatchObject({ at: 0, text: expect.any(String) })
      // The SDK writes both of the first as null: what they were is gone before they are sent.
      expect([shown?.nan, shown?.infinity, Number(shown?.huge)]).toEqual([null, null, 1e21])
    },
    SEND_MS,
  )

  test(
    'a wrong key fails every batch once, without a storm of retries',
    async () => {
      const { outcome } = await send({ key: 'lk_ingest_wrong' })
      expect(outcome.succeeded).toBe(0)
      expect(outcome.failed).toBeGreaterThanOrEqual(BATCHES_MIN)
      expect(outcome.errors.filter((error) => !/401|unauthorized/i.test(error))).toEqual([])
      expectEachSentOnce(401)
    },
    SEND_MS,
  )

  test(
    'spans over the quota are refused by a partial success that the exporter neither fails on nor sends again',
    async () => {
      keys = await product.provision(`${program.name} quota`)
      const capped = await callApi(`${product.analyzerUrl}/admin/projects/${keys.project_id}`, {
        method: 'PATCH',
        key: ADMIN_TOKEN,
        json: { quota_spans: QUOTA_SPANS },
      })
      expect(capped.status).toBe(200)
      const { producer_key, agent_key } = keys
      const { outcome } = await send({ key: producer_key })
      if (program.partialSuccessIsError) expect(outcome.errors.join()).toMatch(/partial success.*spans rejected/i)
      else expect(outcome).toMatchObject({ failed: 0 })
      expectEachSentOnce(200)
      // Refusals alone make no commit: they are written with the next one, or soon after.
      await until('all 200 spans in the ledger', async () => {
        const ledger = await readJson<Ledger>(`${product.analyzerUrl}/v1/ingest/ledger`, agent_key)
        return ledger.accepted === QUOTA_SPANS && sum(ledger.rejected) === spansPlanned - QUOTA_SPANS ? true : null
      })
    },
    SEND_MS,
  )

  test(
    'while the collector is down the analyzer answers 503, the exporter tries again and nothing is lost',
    async () => {
      await product.endCollector('SIGTERM')
      const sending = send({ targetUrl: product.analyzerUrl })
      await until('a refused batch', () => relay?.requests.some(({ status }) => status === 503) || null, SEND_MS)
      await restartBehind(relay)
      const { outcome, plan } = await sending
      expect(outcome).toMatchObject({ failed: 0 })
      expectStored(await stored(plan), plan)
    },
    SEND_MS,
  )
}

/** gRPC has no relay that reads along: what went over is told by what the exporter says and by what is stored. */
function testGrpc(program: SourceProgram): void {
  let command: Command
  let keys: ProjectKeys
  let relay: TcpRelay

  beforeAll(async () => {
    command = await program.prepare()
  }, BUILD_MS)
  beforeEach(async () => {
    keys = await product.provision(`${program.name} grpc ${performance.now()}`)
    relay = await startTcpRelay(grpcPort)
  })
  afterEach(() => relay.close())

  async function send(given: Partial<Sending> = {}): Promise<{ outcome: Outcome; plan: TraceRequestJson }> {
    const plan = planSpans(`${program.name}-grpc-${performance.now()}`, program)
    const sending = { url: relay.url, key: keys.producer_key, plan, protocol: 'grpc', compression: 'gzip', ...given } as const
    return { outcome: await runProgram(command, sending), plan }
  }
  const stored = (plan: TraceRequestJson) => readTraces(product.analyzerUrl, keys.agent_key, traceIdsOf(plan))

  test.each(['none', 'gzip'] as const)(
    'grpc, compression %s: every span comes back equal',
    async (compression) => {
      const { outcome, plan } = await send({ compression })
      expect(outcome).toEqual({ succeeded: expect.any(Number), failed: 0, errors: [] })
      expectStored(await stored(plan), plan)
    },
    SEND_MS,
  )

  test(
    'grpc: a wrong key fails every batch',
    async () => {
      const { outcome } = await send({ key: 'lk_ingest_wrong' })
      expect(outcome).toMatchObject({ succeeded: 0 })
      expect(outcome.failed).toBeGreaterThanOrEqual(BATCHES_MIN)
      expect(outcome.errors.filter((error) => !/unauthenticated|key is not valid/i.test(error))).toEqual([])
    },
    SEND_MS,
  )

  const outage = program.retriesGrpc ? test : test.skip
  outage(
    'grpc: while the collector is down the exporter tries again and nothing is lost',
    async () => {
      await product.endCollector('SIGKILL')
      const sending = send()
      await until('a connection in vain', () => (relay.connections() > 0 ? true : null), SEND_MS)
      await restartBehind(relay)
      const { outcome, plan } = await sending
      expect(outcome).toMatchObject({ failed: 0 })
      expectStored(await stored(plan), plan)
    },
    SEND_MS,
  )
}

/**
 * What was refused was refused by nobody being there; what comes next waits for the collector, however long a loaded machine
 * takes to start it: some exporters try only a few times.
 */
async function restartBehind(relay: { hold(until: Promise<unknown>): void }): Promise<void> {
  const restarted = product.restartCollector()
  relay.hold(restarted)
  await restarted
}

/** Configured by nothing but the variables that the README names. */
async function runProgram(command: Command, { url, key, plan, protocol, compression }: Sending): Promise<Outcome> {
  const path = join(workDir, `plan-${performance.now()}.json`)
  writeFileSync(path, JSON.stringify(plan))
  const printed = await run(
    {
      ...command,
      args: [...command.args, path],
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: url,
        OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
        OTEL_EXPORTER_OTLP_HEADERS: `Authorization=Bearer ${key}`,
        ...(compression !== 'none' && { OTEL_EXPORTER_OTLP_COMPRESSION: compression }),
        OTEL_METRICS_EXPORTER: 'none',
        OTEL_LOGS_EXPORTER: 'none',
        OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '64',
      },
    },
    SEND_MS,
  )
  return JSON.parse(printed.trim().split('\n').at(-1) ?? '')
}

const sum = (counts: Record<string, number>): number => Object.values(counts).reduce((total, count) => total + count, 0)
