import { gzipSync } from 'node:zlib'
import { type LoadConnection, openHttpConnection } from '../bench/http-connection.ts'
import { rejectedSpans } from '../bench/rejected-spans.ts'
import { mulberry32, seedOf } from '../demo/random.ts'
import { type Product, startProduct } from '../harness/start-product.ts'
import { readCorpus } from './corpus.ts'
import { type BytesBody, drawBodyIn } from './draw-body.ts'
import { mutateBytes } from './mutate-bytes.ts'
import { chance } from './pick-random.ts'
import { createProductPath, type ProductPath, type SentBody } from './product-path.ts'
import { readStoredKeys } from './stored-keys.ts'

export interface HttpFuzzOptions {
  seed: number
  bodies: number
  onProgress(bodies: number): void
}

export interface HttpFuzzSummary {
  bodies: number
  seconds: number
  statuses: Record<string, number>
  /** Distinct records that the answers promised, and of them those that are stored. */
  accepted: number
  stored: number
  /** Records that are stored more than once, and copies that were replaced by their ended version. */
  doubled: number
  replaced: number
  failures: string[]
}

/** One connection of each kind keeps to it, as exporters do. */
const KINDS = ['protobuf', 'json', 'protobuf', 'json', 'protobuf', 'json', 'protobuf', 'json+gzip'] as const
const CONNECTIONS = 16
/** Of compressed bodies, those that are damaged after compression. */
const DAMAGED_GZIP_SHARE = 0.1
const FAILURES_SHOWN_MAX = 20
const SHOWN_MAX_BYTES = 3_000

interface Run {
  product: Product
  key: string
  path: ProductPath
  expected: Set<string>
  summary: HttpFuzzSummary
}

/**
 * Sends bodies changed at random to the real product over kept connections. What the product's own reading of a body says in this process
 * must be what is answered, and in the end what is stored: no crash, no 5xx, no 200 that stored fewer spans than it accepted.
 */
export async function runHttpFuzz({ seed, bodies, onProgress }: HttpFuzzOptions): Promise<HttpFuzzSummary> {
  const corpus = readCorpus()
  const product = await startProduct({ env: { LOOPKIT_LOG_LEVEL: 'error', LOOPKIT_QUIET_MS: '3600000' } })
  try {
    const { producer_key: key, agent_key } = await product.provision('fuzz')
    const summary: HttpFuzzSummary = {
      ...{ bodies: 0, seconds: 0, statuses: {}, accepted: 0, stored: 0, doubled: 0, replaced: 0, failures: [] },
    }
    const run: Run = { product, key, path: createProductPath(), expected: new Set(), summary }
    const startMs = performance.now()
    const senders = Array.from({ length: CONNECTIONS }, async (_, sender) => {
      const kind = KINDS[sender % KINDS.length]!
      const connections = new Map<string, LoadConnection>()
      for (let n = sender; n < bodies; n += CONNECTIONS) {
        const drawn = drawBodyIn(kind === 'protobuf' ? 'protobuf' : 'json', seed, n, corpus)
        await sendOne(run, connections, n, kind === 'json+gzip' ? compressed(drawn, seed, n) : drawn)
        onProgress(++summary.bodies)
      }
      for (const connection of connections.values()) connection.close()
    })
    await Promise.all(senders)
    summary.seconds = (performance.now() - startMs) / 1000
    await compareStored(run, agent_key)
    const { collector } = await product.stop()
    if (collector !== 0) summary.failures.push(`the collector ended with ${collector}\n${product.output()}`)
    return summary
  } finally {
    await product.stop()
  }
}

function compressed(body: BytesBody, seed: number, n: number): BytesBody & { compression: 'gzip' } {
  const random = mulberry32(seedOf(`gzip ${seed}:${n}`))
  const whole = gzipSync(body.bytes, { level: 1 })
  return { ...body, compression: 'gzip', bytes: chance(random, DAMAGED_GZIP_SHARE) ? mutateBytes(random, whole, whole) : whole }
}

async function sendOne(run: Run, connections: Map<string, LoadConnection>, n: number, body: SentBody): Promise<void> {
  const kind = `${body.signal} ${body.encoding} ${body.compression ?? ''}`
  const connection = connections.get(kind) ?? (await open(run, body))
  connections.set(kind, connection)
  const { bytes, bodyAt } = connection.memory(body.bytes.length)
  bytes.set(body.bytes, bodyAt)
  const answer = await connection.send(body.bytes.length).catch((error: Error) => {
    connections.delete(kind)
    return { status: 0, body: Buffer.from(error.message) }
  })
  const { statuses } = run.summary
  statuses[answer.status] = (statuses[answer.status] ?? 0) + 1
  const wrong = whatIsWrong(run, body, answer)
  if (wrong !== null && run.summary.failures.length < FAILURES_SHOWN_MAX)
    run.summary.failures.push(
      `body ${n} (${kind}): ${wrong}\n${Buffer.from(body.bytes).toString('base64').slice(0, SHOWN_MAX_BYTES)}`,
    )
}

function open({ product, key }: Run, { signal, encoding, compression = 'identity' }: SentBody): Promise<LoadConnection> {
  const { hostname, port } = new URL(product.otlpUrl)
  const headers = {
    authorization: `Bearer ${key}`,
    'content-type': encoding === 'json' ? 'application/json' : 'application/x-protobuf',
    ...(compression === 'gzip' ? { 'content-encoding': 'gzip' } : {}),
  }
  return openHttpConnection({ host: hostname, port: Number(port), headers }, `/v1/${signal}`)
}

/** What the answer says otherwise than it should, or null. Records that it accepted are noted. */
function whatIsWrong({ path, expected }: Run, body: SentBody, answer: { status: number; body: Buffer }): string | null {
  const prepared = path.prepare(body)
  if (prepared.kind === 'refused') return answer.status === 400 ? null : `${prepared.code} was answered ${answer.status}`
  if (answer.status !== 200)
    return `a body that can be read was answered ${answer.status}: ${answer.body.toString().slice(0, 300)}`
  if (prepared.kind === 'count') return null
  const { scan, rejected } = prepared
  let refused = rejected.reduce((sum, { count }) => sum + count, 0)
  const at = (start: number, size: number) =>
    Buffer.from(prepared.body.buffer, prepared.body.byteOffset + start, size).toString('latin1')
  for (let row = 0; row < scan.count; row++) {
    if (scan.reject[row] !== 0) refused++
    else expected.add(at(scan.traceIdAt[row]!, 16) + at(scan.spanIdAt[row]!, 8))
  }
  const answered = rejectedSpans(answer.body, body.encoding === 'json')
  return answered === refused ? null : `${refused} records cannot be kept, and ${answered} were answered as rejected`
}

async function compareStored({ product, expected, summary }: Run, agentKey: string): Promise<void> {
  const { keys, doubled } = readStoredKeys(product.dataDir)
  const ledger = await fetch(`${product.analyzerUrl}/v1/ingest/ledger?since_minutes=1440`, {
    headers: { authorization: `Bearer ${agentKey}` },
  })
  const counts = (await ledger.json()) as { accepted: number; replaced?: number }
  const lost = [...expected].filter((key) => !keys.has(key))
  const spurious = [...keys].filter((key) => !expected.has(key))
  Object.assign(summary, {
    accepted: expected.size,
    stored: expected.size - lost.length,
    doubled,
    replaced: counts.replaced ?? 0,
  })
  if (doubled > summary.replaced)
    summary.failures.push(`${doubled} records are stored twice, and ${summary.replaced} were replaced`)
  const show = (list: string[]) => list.slice(0, 3).map((key) => Buffer.from(key, 'latin1').toString('hex'))
  if (lost.length > 0) summary.failures.push(`${lost.length} records were answered 200 and are not stored: ${show(lost)}`)
  if (spurious.length > 0) summary.failures.push(`${spurious.length} records are stored and were not sent: ${show(spurious)}`)
}
