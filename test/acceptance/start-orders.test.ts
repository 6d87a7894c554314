import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { callApi, sendOtlp } from '../harness/http.ts'
import { spanJson, traceRequest } from '../harness/otlp-json.ts'
import { type ServiceProcess, startService, waitUntilReady } from '../harness/service-process.ts'
import type { ProjectKeys } from '../harness/start-product.ts'

const TEST_MS = 120_000
/** More than there are readers, so that each of them is asked. */
const AT_ONCE = 8

let dataDir: string
let running: ServiceProcess[]
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'loopkit-orders-'))
  running = []
})
afterEach(async () => {
  await Promise.all(running.map((service) => service.end('SIGKILL')))
  rmSync(dataDir, { recursive: true, force: true })
})

async function start(name: 'collector' | 'analyzer'): Promise<ServiceProcess> {
  const ports = { LOOPKIT_ANALYZER_PORT: '0', LOOPKIT_OTLP_HTTP_PORT: '0', LOOPKIT_OTLP_GRPC_PORT: '0' }
  const service = await startService({ name, dataDir, env: { ...ports, LOOPKIT_SELF_TELEMETRY: 'false' } })
  running.push(service)
  await waitUntilReady(service, name)
  return service
}

const urlOf = ({ port }: ServiceProcess) => `http://127.0.0.1:${port}`

async function provision(analyzer: ServiceProcess): Promise<ProjectKeys> {
  return (await callApi(`${urlOf(analyzer)}/v1/provision`, { json: { project_name: 'orders' } })).json<ProjectKeys>()
}

async function send(collector: ServiceProcess, { producer_key }: ProjectKeys, n: number): Promise<void> {
  const span = spanJson({ traceId: String(n).padStart(32, 'a'), spanId: String(n).padStart(16, 'b') })
  expect((await sendOtlp(urlOf(collector), producer_key, traceRequest('shop', [span]))).status).toBe(200)
}

/** How many records each of several questions at once is shown. */
async function seen(analyzer: ServiceProcess, { agent_key }: ProjectKeys): Promise<number[]> {
  const answers = await Promise.all(
    Array.from({ length: AT_ONCE }, () => callApi(`${urlOf(analyzer)}/v1/telemetry`, { key: agent_key })),
  )
  return answers.map((answer) => answer.json<{ items: unknown[] }>().items.length)
}

const everybody = (records: number) => Array.from({ length: AT_ONCE }, () => records)

function removeTelemetry(): void {
  for (const name of readdirSync(dataDir)) if (name.startsWith('telemetry.')) rmSync(join(dataDir, name))
}

test(
  'an analyzer that began before there was anything sees what is stored with the next question, whatever the collector goes through',
  async () => {
    const analyzer = await start('analyzer')
    const keys = await provision(analyzer)
    expect(await seen(analyzer, keys)).toEqual(everybody(0))
    let collector = await start('collector')
    expect(await seen(analyzer, keys)).toEqual(everybody(0))
    await send(collector, keys, 1)
    expect(await seen(analyzer, keys)).toEqual(everybody(1))
    for (const [n, signal] of (['SIGKILL', 'SIGTERM', 'SIGKILL'] as const).entries()) {
      await collector.end(signal)
      expect(await seen(analyzer, keys)).toEqual(everybody(n + 1))
      collector = await start('collector')
      await send(collector, keys, n + 2)
      expect(await seen(analyzer, keys)).toEqual(everybody(n + 2))
    }
    await collector.end('SIGTERM')
    removeTelemetry()
    expect(await seen(analyzer, keys)).toEqual(everybody(0))
    collector = await start('collector')
    await send(collector, keys, 9)
    expect(await seen(analyzer, keys)).toEqual(everybody(1))
  },
  TEST_MS,
)

test(
  'both begun at the same moment in an empty folder, again and again: what was acknowledged is in the next answer',
  async () => {
    for (let round = 1; round <= 2; round++) {
      const [analyzer, collector] = await Promise.all([start('analyzer'), start('collector')])
      const keys = await provision(analyzer)
      await send(collector, keys, round)
      expect(await seen(analyzer, keys)).toEqual(everybody(1))
      await Promise.all([analyzer.end('SIGKILL'), collector.end('SIGKILL')])
      rmSync(dataDir, { recursive: true, force: true })
    }
  },
  TEST_MS,
)

test(
  'thirty-six who ask why at the same moment are all answered, while spans come in and are cleared away',
  async () => {
    const [analyzer, collector] = await Promise.all([start('analyzer'), start('collector')])
    const keys = await provision(analyzer)
    const failing = (n: number) =>
      spanJson({
        traceId: String(n).padStart(32, 'c'),
        spanId: String(n).padStart(16, 'd'),
        status: { code: 2, message: 'boom' },
      })
    const sendSome = (from: number) =>
      sendOtlp(
        urlOf(collector),
        keys.producer_key,
        traceRequest(
          'shop',
          Array.from({ length: 200 }, (_, n) => failing(from + n)),
        ),
      )
    await sendSome(0)
    const ask = (path: string, json?: unknown) => callApi(`${urlOf(analyzer)}${path}`, { key: keys.agent_key, json })
    const { packet } = (await ask('/v1/runs/diagnose', { since_minutes: 10 })).json<{
      packet: { issues: { pain_id: string }[] }
    }>()
    const path = `/v1/pains/${packet.issues[0]!.pain_id}/why`
    for (let round = 1; round <= 3; round++) {
      const sent = Array.from({ length: 5 }, (_, n) => sendSome(round * 10_000 + n * 1_000))
      const answers = await Promise.all(Array.from({ length: 36 }, () => ask(path)))
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
      expect(new Set((await Promise.all(sent)).map(({ status }) => status))).toEqual(new Set([200]))
    }
  },
  TEST_MS,
)
