import { mkdtempSync, rmSync } from 'node:fs'
import { Agent } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { context, type Tracer } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { startMcpServer } from './agent/mcp-server.ts'
import { startModelServer } from './agent/model-server.ts'
import { answerCustomer } from './agent/support-agent.ts'
import {
  attributesUnder,
  type Circumstances,
  DEPLOYMENTS,
  type Deployment,
  resourceUnder,
  type Service,
} from './circumstances.ts'
import type { Listening } from './http-service.ts'
import type { Visit } from './plan-traffic.ts'
import type { Random } from './random.ts'
import { createServiceTelemetry, type ServiceTelemetry, type ServiceTelemetryOptions } from './service-telemetry.ts'
import { startInventory } from './shop/inventory.ts'
import { startShopApi } from './shop/shop-api.ts'
import { viewPage } from './shop/shop-web.ts'
import { startThirdParties } from './shop/third-parties.ts'
import { createTraceIds, traceIdOf } from './trace-ids.ts'

export interface TrafficTarget {
  otlpUrl: string
  producerKey: string
}

export interface TrafficCounts {
  spans: number
  failedSpans: number
  exportError: string | null
}

/** Traces under way at once: enough to keep one core busy, few enough not to swamp the services. */
const VISITS_AT_ONCE = 24
const SOCKETS_MAX = 48
const TURNS_PER_CONVERSATION = 3

const ENCODINGS: Record<Service, ServiceTelemetryOptions['encoding']> = {
  'shop-web': 'json',
  'shop-api': 'protobuf',
  inventory: 'protobuf',
  'support-agent': 'protobuf',
}
const SERVICES = Object.keys(ENCODINGS) as Service[]

/**
 * Runs the shop and the support agent through the planned visits and sends their telemetry.
 * Resolves when everything is flushed and stopped; what could not be sent is in the counts.
 */
export async function runTraffic(target: TrafficTarget, seed: number, visits: readonly Visit[]): Promise<TrafficCounts> {
  const ids = createTraceIds()
  const contextManager = new AsyncLocalStorageContextManager().enable()
  context.setGlobalContextManager(contextManager)
  const circumstances = new Map(visits.map((visit) => [traceIdOf(seed, visit.index), visit.circumstances]))
  const { telemetry, tracerOf } = deploy(target, ids, () => circumstances.get(ids.traceId())!)
  const application = await startApplication(tracerOf, ids)
  try {
    await eachAtOnce(visits, VISITS_AT_ONCE, (visit) =>
      ids.run(traceIdOf(seed, visit.index), `${seed}:${visit.index}`, (random) => application.visit(visit, random)),
    )
  } finally {
    await application.stop()
  }
  const flushed = await Promise.allSettled(telemetry.map((one) => one.flush()))
  await Promise.allSettled(telemetry.map((one) => one.stop()))
  context.disable()
  return countsOf(telemetry, flushed)
}

type TracerOf = (service: Service) => ServiceTelemetry['tracer']

/** Every service in both versions and every region, each with telemetry of its own; a visit meets those of its circumstances. */
function deploy(
  target: TrafficTarget,
  ids: ReturnType<typeof createTraceIds>,
  now: () => Circumstances,
): { telemetry: ServiceTelemetry[]; tracerOf: TracerOf } {
  const deployed = new Map<string, ServiceTelemetry>()
  const nameOf = (service: Service, { release, region }: Deployment) => `${service} ${release} ${region}`
  for (const service of SERVICES) {
    for (const deployment of DEPLOYMENTS) {
      const resource = resourceUnder(service, deployment)
      const options = { ...target, service, resource, encoding: ENCODINGS[service], idGenerator: ids.generator }
      deployed.set(
        nameOf(service, deployment),
        createServiceTelemetry({ ...options, attributesNow: () => attributesUnder(now()) }),
      )
    }
  }
  const tracerOf = (service: Service) => delegating(() => deployed.get(nameOf(service, now()))!.tracer)
  return { telemetry: [...deployed.values()], tracerOf }
}

/** A tracer that is another one for every visit. */
function delegating(tracer: () => Tracer): Tracer {
  const startActive = (...all: unknown[]): unknown => Reflect.apply(tracer().startActiveSpan, tracer(), all)
  return { startSpan: (...all) => tracer().startSpan(...all), startActiveSpan: startActive as Tracer['startActiveSpan'] }
}

interface Application {
  visit(visit: Visit, random: Random): Promise<void>
  stop(): Promise<void>
}

async function startApplication(tracerOf: TracerOf, ids: ReturnType<typeof createTraceIds>): Promise<Application> {
  const folder = mkdtempSync(join(tmpdir(), 'loopkit-demo-shop-'))
  const agent = new Agent({ keepAlive: true, maxSockets: SOCKETS_MAX })
  const inventory = await startInventory(tracerOf('inventory'), ids, join(folder, 'stock.db'))
  const thirdParties = await startThirdParties()
  const shopApi = await startShopApi({
    tracer: tracerOf('shop-api'),
    ids,
    agent,
    inventoryUrl: inventory.url,
    thirdPartyUrl: thirdParties.url,
    downUrl: `http://127.0.0.1:${await unusedPort()}`,
  })
  const [model, mcp] = await Promise.all([startModelServer(), startMcpServer()])
  const web = { tracer: tracerOf('shop-web'), agent, shopUrl: shopApi.url }
  const support = { tracer: tracerOf('support-agent'), agent, modelUrl: model.url, mcpUrl: mcp.url, shopUrl: shopApi.url }
  const listening: Listening[] = [model, mcp, shopApi, thirdParties, inventory]
  return {
    visit: ({ scenario, faultId, index }, random) =>
      scenario === 'support'
        ? answerCustomer(support, { conversationId: `conv-${Math.floor(index / TURNS_PER_CONVERSATION)}`, faultId, random })
        : viewPage(web, { scenario, faultId, random }),
    stop: async () => {
      for (const one of listening) await one.stop()
      agent.destroy()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** A port where nothing listens: bound once and given back. */
async function unusedPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

async function eachAtOnce<T>(items: readonly T[], atOnce: number, work: (item: T) => Promise<void>): Promise<void> {
  const left = items.values()
  const worker = async () => {
    for (const item of left) await work(item)
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
}

function countsOf(telemetry: ServiceTelemetry[], flushed: PromiseSettledResult<void>[]): TrafficCounts {
  const counts = telemetry.map((one) => one.counts())
  const rejected = flushed.find((result) => result.status === 'rejected')
  return {
    spans: counts.reduce((sum, { sent }) => sum + sent, 0),
    failedSpans: counts.reduce((sum, { failed }) => sum + failed, 0),
    exportError: counts.find(({ error }) => error)?.error ?? (rejected ? String(rejected.reason) : null),
  }
}
