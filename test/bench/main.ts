import { parseArgs } from 'node:util'
import { startProduct } from '../harness/start-product.ts'
import { driveLoad } from './drive-load.ts'
import { generateMix } from './generate-mix.ts'
import { createLoadBody, type LoadBody } from './load-body.ts'
import { folderBytes, segmentBytes } from './stored-bytes.ts'

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

const round = (value: number): number => Number(value.toFixed(1))

function percentile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b)
  return round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0)
}

async function measure(encoding: LoadBody['encoding']): Promise<object> {
  const product = await startProduct()
  try {
    const { producer_key } = await product.provision('bench')
    const bodies = generateMix(Number(values.seed), BODIES, Number(values.batch)).map((mix) => createLoadBody(mix, encoding))
    const before = folderBytes(product.dataDir)
    const load = {
      url: `${product.otlpUrl}/v1/traces`,
      key: producer_key,
      seconds: Number(values.seconds),
      connections: Number(values.connections),
    }
    const { spans, refused, seconds, ackMs } = await driveLoad(load, bodies)
    return {
      encoding,
      spans,
      refused,
      seconds: round(seconds),
      spans_per_s: Math.round(spans / seconds),
      ack_p50_ms: percentile(ackMs, 0.5),
      ack_p99_ms: percentile(ackMs, 0.99),
      segment_bytes_per_span: round(segmentBytes(product.dataDir) / spans),
      disk_bytes_per_span: round((folderBytes(product.dataDir) - before) / spans),
      body_bytes_per_span: Math.round((bodies[0]?.bytes.length ?? 0) / (bodies[0]?.spans ?? 1)),
    }
  } finally {
    await product.stop()
  }
}

for (const encoding of ['protobuf', 'json'] as const) console.log(JSON.stringify(await measure(encoding)))
