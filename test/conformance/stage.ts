import { createGrpcSender, type GrpcSender, grpcPortOf } from '../harness/grpc-calls.ts'
import { type ApiAnswer, callApi, until } from '../harness/http.ts'
import { type RecordJson, readAll, readJson } from '../harness/reading.ts'
import { type Product, type ProjectKeys, startProduct } from '../harness/start-product.ts'

/** A running product with one project to send to. */
export interface Stage {
  product: Product
  keys: ProjectKeys
  grpc: GrpcSender
  grpcPort: number
  httpPort: number
  /** Never given out before, as 32 hex digits. */
  newTraceId(): string
  /** One request to the collector's HTTP port, exactly as told; the key is sent unless the headers say otherwise. */
  post(body: string | Uint8Array, headers?: Record<string, string>, path?: string): Promise<ApiAnswer>
  /** Every record of a trace as the API shows it, by span id. */
  records(traceId: string): Promise<RecordJson[]>
  ledger(): Promise<Ledger>
  metric(pattern: RegExp): Promise<number>
  stop(): Promise<void>
}

export interface Ledger {
  accepted: number
  deduplicated: number
  rejected: Record<string, number>
  redacted: number
  refused_requests: Record<string, number>
}

export async function createStage(name: string, env: Record<string, string> = {}): Promise<Stage> {
  const product = await startProduct({ env })
  const keys = await product.provision(name)
  const grpcPort = grpcPortOf(product.dataDir)
  const grpc = createGrpcSender(grpcPort, keys.producer_key)
  const authorization = `Bearer ${keys.producer_key}`
  let traces = 0
  return {
    product,
    keys,
    grpc,
    grpcPort,
    httpPort: Number(new URL(product.otlpUrl).port),
    newTraceId: () => `c0${(++traces).toString(16).padStart(30, '0')}`,
    post: (body, headers = {}, path = '/v1/traces') =>
      callApi(`${product.otlpUrl}${path}`, {
        method: 'POST',
        body,
        headers: {
          'content-type': typeof body === 'string' ? 'application/json' : 'application/x-protobuf',
          authorization,
          ...headers,
        },
      }),
    records: async (traceId) => {
      const url = `${product.analyzerUrl}/v1/sessions/${encodeURIComponent(traceId)}`
      if ((await callApi(url, { key: keys.agent_key })).status === 404) return []
      const items = await readAll<RecordJson>(url, keys.agent_key)
      return items.sort((a, b) => (a.span_id < b.span_id ? -1 : 1))
    },
    ledger: () => readJson<Ledger>(`${product.analyzerUrl}/v1/ingest/ledger`, keys.agent_key),
    metric: async (pattern) => Number(pattern.exec((await callApi(`${product.otlpUrl}/metrics`)).text)?.[1] ?? Number.NaN),
    stop: async () => {
      grpc.close()
      await product.stop()
    },
  }
}

/** Counts of requests that store nothing are written once a second, so the ledger is asked until it knows of this one. */
export async function untilLedger(stage: Stage, what: string, isThere: (ledger: Ledger) => boolean): Promise<Ledger> {
  return until(`the ledger to know of ${what}`, async () => {
    const ledger = await stage.ledger()
    return isThere(ledger) ? ledger : null
  })
}
