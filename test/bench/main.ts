import { readdirSync, statSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { openDatabase } from '@loopkit/shared/database/open'
import { startProduct } from '../harness/start-product.ts'
import { generateMix } from './generate-mix.ts'
import { createLoadBody, type LoadBody, renew } from './load-body.ts'

/** `npm run bench -- [--seconds 8] [--connections 8] [--batch 512] [--seed 1]`: one line of JSON for each encoding. */
const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '8' },
    connections: { type: 'string', default: '8' },
    batch: { type: 'string', default: '512' },
    seed: { type: 'string', default: '1' },
  },
})
const BODIES = 32

interface Sent {
  spans: number
  refused: number
  ackMs: number[]
}

for (const encoding of ['protobuf', 'json'] as const) {
  const product = await startProduct()
  try {
    const { producer_key } = await product.provision('bench')
    const bodies = generateMix(Number(values.seed), BODIES, Number(values.batch)).map((mix) => createLoadBody(mix, encoding))
    const before = folderBytes(product.dataDir)
    const startedMs = performance.now()
    const sent = await drive(`${product.otlpUrl}/v1/traces`, producer_key, bodies)
    const seconds = (performance.now() - startedMs) / 1000
    console.log(
      JSON.stringify({
        encoding,
        spans: sent.spans,
        refused: sent.refused,
        seconds: Number(seconds.toFixed(2)),
        spans_per_s: Math.round(sent.spans / seconds),
        ack_p50_ms: percentile(sent.ackMs, 0.5),
        ack_p99_ms: percentile(sent.ackMs, 0.99),
        segment_bytes_per_span: perSpan(segmentBytes(product.dataDir), sent.spans),
        disk_bytes_per_span: perSpan(folderBytes(product.dataDir) - before, sent.spans),
        body_bytes_per_span: Math.round((bodies[0]?.bytes.length ?? 0) / (bodies[0]?.spans ?? 1)),
      }),
    )
  } finally {
    await product.stop()
  }
}

async function drive(url: string, key: string, bodies: readonly LoadBody[]): Promise<Sent> {
  const agent = new Agent({ keepAlive: true, maxSockets: Number(values.connections) })
  const endMs = performance.now() + Number(values.seconds) * 1000
  const sent: Sent = { spans: 0, refused: 0, ackMs: [] }
  let sending = 0
  const connection = async () => {
    while (performance.now() < endMs) {
      const body = bodies[sending % bodies.length] as LoadBody
      const bytes = renew(body, sending++)
      const startedMs = performance.now()
      const status = await post(agent, url, key, body.encoding, bytes)
      sent.ackMs.push(performance.now() - startedMs)
      if (status === 200) sent.spans += body.spans
      else sent.refused++
    }
  }
  await Promise.all(Array.from({ length: Number(values.connections) }, connection))
  agent.destroy()
  return sent
}

function post(agent: Agent, url: string, key: string, encoding: LoadBody['encoding'], bytes: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${key}`,
      'content-type': encoding === 'json' ? 'application/json' : 'application/x-protobuf',
      'content-length': bytes.length,
    }
    const outgoing = request(url, { method: 'POST', agent, headers }, (response) => {
      response.resume()
      response.on('end', () => resolve(response.statusCode ?? 0))
    })
    outgoing.on('error', reject)
    outgoing.end(bytes)
  })
}

function percentile(samples: number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b)
  return Number((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(1))
}

const perSpan = (bytes: number, spans: number): number => Number((bytes / spans).toFixed(1))

/** What the spans themselves take, compressed; the folder also holds indexes and a log that is written over again. */
function segmentBytes(folder: string): number {
  const db = openDatabase(join(folder, 'telemetry.db'), { role: 'reader' })
  const { bytes } = db.prepare('select coalesce(sum(length(body)), 0) as bytes from segment').get() as { bytes: number }
  db.close()
  return bytes
}

function folderBytes(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0)
}
