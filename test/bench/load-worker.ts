import { randomFillSync } from 'node:crypto'
import { parentPort, workerData } from 'node:worker_threads'
import { gzipSync } from 'node:zlib'
import { openGrpcConnection } from './grpc-connection.ts'
import { type LoadConnection, openHttpConnection } from './http-connection.ts'
import type { LoadJob, LoadResult } from './load-messages.ts'
import type { LoadTemplate } from './load-template.ts'
import { rejectedSpans } from './rejected-spans.ts'
import { renewBody } from './renew-body.ts'

/** After a refusal a sender takes a breath, in ms. */
const BREATH_MS = 20
/** Bodies compressed before the clock starts; a run with gzip ends when they are used up. */
const COMPRESSED_MAX_BYTES = 128 * 1024 ** 2

const job = workerData as LoadJob
const madeMs = performance.now()
const mask = Buffer.alloc(16)
const result: LoadResult & { ackMs: Float64Array } = {
  spans: 0,
  rejected: 0,
  refused: 0,
  refusal: '',
  requests: 0,
  bytes: 0,
  seconds: 0,
  ackMs: new Float64Array(0),
  senderCpuSeconds: 0,
}
const samples: number[] = []

interface FilledBody {
  /** As it is sent. */
  bytes: number
  plainBytes: number
  spans: number
}

/** Puts the next body into the connection's memory. null: there is none left. */
type Fill = (connection: LoadConnection, n: number) => FilledBody | null

const fillFresh: Fill = (connection, n) => {
  const template = job.templates[n % job.templates.length]!
  const { bytes, bodyAt } = connection.memory(template.bytes.length)
  renew(template, bytes, bodyAt)
  return { bytes: template.bytes.length, plainBytes: template.bytes.length, spans: template.spans }
}

function renew(template: LoadTemplate, out: Uint8Array, at: number): void {
  randomFillSync(mask)
  renewBody(template, out, at, mask, (performance.now() - madeMs) * 1e6)
}

/** Compressing costs more than the server's work on it, so it is done before. */
function compressed(): Fill {
  const bodies: { bytes: Buffer; plainBytes: number; spans: number }[] = []
  for (
    let total = 0, n = 0;
    total < COMPRESSED_MAX_BYTES && (job.spansMax === 0 || n * job.templates[0]!.spans < job.spansMax);
    n++
  ) {
    const template = job.templates[n % job.templates.length]!
    const plain = Buffer.alloc(template.bytes.length)
    renew(template, plain, 0)
    bodies.push({ bytes: gzipSync(plain, { level: 1 }), plainBytes: plain.length, spans: template.spans })
    total += bodies.at(-1)!.bytes.length
  }
  return (connection) => {
    const next = bodies.pop()
    if (next === undefined) return null
    const { bytes, bodyAt } = connection.memory(next.bytes.length)
    bytes.set(next.bytes, bodyAt)
    return { ...next, bytes: next.bytes.length }
  }
}

function open(): Promise<LoadConnection> {
  const headers: Record<string, string> = job.key === '' ? {} : { authorization: `Bearer ${job.key}` }
  if (job.transport === 'grpc') return openGrpcConnection({ ...job, headers })
  headers['content-type'] = job.templates[0]!.encoding === 'json' ? 'application/json' : 'application/x-protobuf'
  if (job.gzip) headers['content-encoding'] = 'gzip'
  return openHttpConnection({ ...job, headers }, '/v1/traces')
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

let sent = 0
let claimed = 0

async function drive(connection: LoadConnection, fill: Fill, startMs: number, endMs: number, counted: boolean): Promise<void> {
  while (performance.now() < endMs && (job.spansMax === 0 || claimed < job.spansMax)) {
    const body = fill(connection, sent++)
    if (body === null) return
    claimed += body.spans
    if (job.spansPerSecond > 0) await sleep(Math.max(0, startMs + (claimed / job.spansPerSecond) * 1000 - performance.now()))
    const sentMs = performance.now()
    const answer = await connection.send(body.bytes).catch((error: Error) => ({ status: 0, body: Buffer.from(error.message) }))
    if (counted) note(body, performance.now() - sentMs, answer)
    if (answer.status !== 200) await sleep(BREATH_MS)
  }
}

function note(body: FilledBody, ms: number, answer: { status: number; body: Buffer }): void {
  result.requests++
  samples.push(ms)
  if (answer.status === 200) {
    const rejected = rejectedSpans(answer.body, job.transport === 'http' && job.templates[0]!.encoding === 'json')
    result.spans += body.spans - rejected
    result.rejected += rejected
    result.bytes += body.plainBytes
  } else {
    result.refused++
    result.refusal = `${answer.status} ${printable(answer.body).slice(0, 200)}`
  }
}

/** A status in protobuf, or what else a server says: for people. */
const printable = (body: Buffer): string =>
  body
    .toString('latin1')
    .replace(/[^\x20-\x7e]+/g, ' ')
    .trim()

async function run(): Promise<void> {
  const fill = job.gzip ? compressed() : fillFresh
  const connections = await Promise.all(Array.from({ length: job.connections }, open))
  const phase = async (forMs: number, counted: boolean) => {
    claimed = 0
    const startMs = performance.now()
    await Promise.all(connections.map((connection) => drive(connection, fill, startMs, startMs + forMs, counted)))
    return (performance.now() - startMs) / 1000
  }
  if (job.warmUpMs > 0) await phase(job.warmUpMs, false)
  parentPort!.postMessage('begin')
  const cpuBefore = process.threadCpuUsage()
  result.seconds = await phase(job.forMs, true)
  const { user, system } = process.threadCpuUsage(cpuBefore)
  result.senderCpuSeconds = (user + system) / 1e6
  result.ackMs = Float64Array.from(samples).sort()
  parentPort!.postMessage(result)
  for (const connection of connections) connection.close()
}

await run()
