import { randomBytes } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { callApi, sendOtlp, until } from '../harness/http.ts'
import { type SpanJson, spanJson, traceRequest } from '../harness/otlp-json.ts'
import { encodeTraceRequest } from '../harness/otlp-protobuf.ts'
import { readJson } from '../harness/reading.ts'
import { type Product, type ProjectKeys, startProduct } from '../harness/start-product.ts'

/** What the ledger answers; each field but the window is a count, or counts by reason. */
interface LedgerJson {
  received: number
  accepted: number
  deduplicated: number
  replaced: number
  conflicts: number
  rejected: Record<string, number>
  refused_requests: Record<string, number>
  kept: Record<string, number>
  not_kept: Record<string, number>
}

const QUOTA_SPANS = 120
const ROUNDS = 12
const MINUTE_MS = 60_000

let product: Product
beforeAll(async () => {
  product = await startProduct({
    env: { LOOPKIT_SANDBOX_QUOTA_SPANS: String(QUOTA_SPANS), LOOPKIT_RETENTION_EVERY_MS: '600000' },
  })
}, MINUTE_MS)
afterAll(() => product?.stop())

const hex = (bytes: number) => randomBytes(bytes).toString('hex')
const sum = (counts: Record<string, number>) => Object.values(counts).reduce((total, count) => total + count, 0)
const readLedger = ({ agent_key }: ProjectKeys) =>
  readJson<LedgerJson>(`${product.analyzerUrl}/v1/ingest/ledger?since_minutes=60`, agent_key)

/** A round of everything that a careless sender sends: what it holds is counted by the sender as it goes. */
function hostileBodies(): { spans: number; body: unknown; gzip?: boolean }[] {
  const ended = spanJson({ traceId: hex(16), spanId: hex(8) })
  const { endTimeUnixNano: _, ...unended } = spanJson({ traceId: hex(16), spanId: hex(8) })
  const closed = { ...unended, endTimeUnixNano: '1900000000000000000' }
  const bad: SpanJson[] = [
    { ...spanJson({ traceId: hex(16), spanId: hex(8) }), traceId: '' },
    { ...spanJson({ traceId: hex(16), spanId: hex(8) }), spanId: '0000000000000000' },
    { ...spanJson({ traceId: hex(16), spanId: hex(8) }), startTimeUnixNano: '99999999999999999999999' },
  ]
  const fresh = Array.from({ length: 3 }, () => spanJson({ traceId: hex(16), spanId: hex(8) }))
  return [
    { spans: 1, body: traceRequest('a', [ended]) },
    { spans: 4, body: traceRequest('a', [ended, ended, { ...ended, name: 'another name' }, ...fresh.slice(0, 1)]) },
    { spans: 1, body: traceRequest('a', [unended]) },
    { spans: 3, body: traceRequest('a', [closed, closed, unended]) },
    { spans: bad.length + 1, body: traceRequest('a', [...bad, fresh[1]!]) },
    { spans: 2, body: encodeTraceRequest(traceRequest('a', [fresh[2]!, ended])) },
    { spans: 1, body: traceRequest('a', [ended]), gzip: true },
    { spans: 0, body: { resourceSpans: [] } },
  ]
}

test(
  'the ledger adds up to what was sent, whatever it was, over a kill and a stop',
  async () => {
    const keys = await product.provision('ledger')
    const sent = { spans: 0, rejected: 0, refused: 0, logs: 0, points: 0 }
    const send = async (body: unknown, gzip = false) => {
      const answer = gzip
        ? await callApi(`${product.otlpUrl}/v1/traces`, {
            key: keys.producer_key,
            body: gzipSync(JSON.stringify(body)),
            headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
          })
        : await sendOtlp(product.otlpUrl, keys.producer_key, body)
      if (answer.status !== 200) throw new Error(`answered ${answer.status}: ${answer.text}`)
      if (body instanceof Uint8Array) return
      const { partialSuccess } = answer.json<{ partialSuccess?: { rejectedSpans?: string } }>()
      sent.rejected += Number(partialSuccess?.rejectedSpans ?? 0)
    }
    const refuse = async (body: string) => {
      expect((await sendOtlp(product.otlpUrl, keys.producer_key, body)).status).toBe(400)
      sent.refused++
    }
    for (let round = 0; round < ROUNDS; round++) {
      const bodies = hostileBodies()
      // The first copy goes first; what repeats it comes all at once.
      await send(bodies[0]!.body)
      await Promise.all(bodies.slice(1).map(({ body, gzip }) => send(body, gzip)))
      await Promise.all([refuse('{"resourceSpans":['), refuse('[1]'), sendLogs(keys, sent), sendPoints(keys, sent)])
      sent.spans += bodies.reduce((total, { spans }) => total + spans, 0)
      if (round === ROUNDS / 3) await crash(keys, sent)
      if (round === (ROUNDS / 3) * 2) {
        await product.endCollector('SIGTERM')
        await product.restartCollector()
      }
    }
    const ledger = await until('the counts', async () => {
      const read = await readLedger(keys)
      return (sum(read.refused_requests) === sent.refused && sum(read.not_kept) === sent.logs + sent.points) || null
    }).then(() => readLedger(keys))
    expect(sum(ledger.rejected)).toBe(sent.rejected)
    expect(ledger.accepted + ledger.deduplicated + sum(ledger.rejected)).toBe(sent.spans)
    expect(ledger.received).toBe(sent.spans + sent.logs + sent.points)
    expect(ledger.accepted).toBe(ROUNDS * 5)
    expect(ledger.rejected).toMatchObject({ trace_id_empty: ROUNDS, span_id_zero: ROUNDS })
    expect(ledger.replaced).toBeGreaterThan(0)
    expect(ledger.conflicts).toBeGreaterThanOrEqual(ROUNDS)
  },
  MINUTE_MS * 2,
)

/** What was answered is counted even when the process ends at that moment; refusals of whole requests may wait for a second. */
async function crash(keys: ProjectKeys, sent: { refused: number; logs: number; points: number }): Promise<void> {
  await until('the counts of refusals', async () => {
    const { refused_requests, not_kept } = await readLedger(keys)
    return (sum(refused_requests) === sent.refused && sum(not_kept) === sent.logs + sent.points) || null
  })
  await product.endCollector('SIGKILL')
  await product.restartCollector()
}

async function sendLogs(keys: ProjectKeys, sent: { logs: number }): Promise<void> {
  const body = {
    resourceLogs: [{ scopeLogs: [{ logRecords: [{ body: { stringValue: 'a' } }, { body: { stringValue: 'b' } }] }] }],
  }
  expect((await sendOtlp(product.otlpUrl, keys.producer_key, body, 'logs')).status).toBe(200)
  sent.logs += 2
}

async function sendPoints(keys: ProjectKeys, sent: { points: number }): Promise<void> {
  const body = {
    resourceMetrics: [{ scopeMetrics: [{ metrics: [{ gauge: { dataPoints: [{ asInt: '1' }, { asInt: '2' }, {}] } }] }] }],
  }
  expect((await sendOtlp(product.otlpUrl, keys.producer_key, body, 'metrics')).status).toBe(200)
  sent.points += 3
}

test(
  'at its quota a project is refused exactly the rest, under concurrency, and the ledger says so',
  async () => {
    const answer = await callApi(`${product.analyzerUrl}/v1/signup`, { json: { project_name: 'full' } })
    const keys = answer.json<ProjectKeys>()
    const bodies = Array.from({ length: 20 }, () =>
      Array.from({ length: 10 }, () => spanJson({ traceId: hex(16), spanId: hex(8) })),
    )
    const answers = await Promise.all(
      bodies.map((spans) => sendOtlp(product.otlpUrl, keys.producer_key, traceRequest('full', spans))),
    )
    const rejected = answers.map((one) => one.json<{ partialSuccess?: { rejectedSpans?: string } }>())
    const refused = rejected.reduce((total, { partialSuccess }) => total + Number(partialSuccess?.rejectedSpans ?? 0), 0)
    expect(refused).toBe(200 - QUOTA_SPANS)
    expect(await readLedger(keys)).toMatchObject({
      received: 200,
      accepted: QUOTA_SPANS,
      rejected: { quota_exceeded: 200 - QUOTA_SPANS },
    })
  },
  MINUTE_MS,
)
