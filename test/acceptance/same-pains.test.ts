import { isDeepStrictEqual } from 'node:util'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { mulberry32 } from '../demo/random.ts'
import { callApi, sendOtlp, until } from '../harness/http.ts'
import { readJson } from '../harness/reading.ts'
import { type Product, type ProjectKeys, startProduct } from '../harness/start-product.ts'
import { bodyOf, DELIVERIES, type Delivery, drawTraces, type SentSpan } from './drawn-telemetry.ts'

const MINUTE_MS = 60_000
const TRACES = 160
const QUIET_MS = 400
const SETTLED_MS = 8_000
const SEED = Number(process.env.LOOPKIT_TEST_SEED ?? 26)

let product: Product
beforeAll(async () => {
  console.log(`seed ${SEED}; LOOPKIT_TEST_SEED draws others`)
  product = await startProduct({ env: { LOOPKIT_QUIET_MS: String(QUIET_MS) } })
}, MINUTE_MS)
afterAll(() => product.stop())

test(
  'the same spans make the same packet, whatever order, bodies, encoding, decisions and restarts they came through',
  async () => {
    const traces = drawTraces(SEED, TRACES, Date.now() - 10 * MINUTE_MS)
    const packets: object[] = []
    for (const delivery of DELIVERIES) {
      const keys = await product.provision(delivery.name.slice(0, 20))
      await deliver(keys, delivery, traces)
      packets.push(await settled(keys, packets[0]))
    }
    const [first, ...others] = packets
    expect((first as { issues: object[] }).issues.length).toBeGreaterThan(4)
    for (const [at, other] of others.entries())
      expect([DELIVERIES[at + 1]!.name, other]).toEqual([DELIVERIES[at + 1]!.name, first])
  },
  3 * MINUTE_MS,
)

test(
  'asking twice gives the same bytes, also after a restart',
  async () => {
    const keys = await product.provision('twice')
    await deliver(keys, DELIVERIES[2]!, drawTraces(SEED + 1, TRACES, Date.now() - 10 * MINUTE_MS))
    const [first, again] = await withinOneMinute(async () => {
      const one = await diagnose(keys)
      await product.endCollector('SIGTERM')
      await product.restartCollector()
      return [one, await diagnose(keys)]
    })
    expect(again).toBe(first)
  },
  2 * MINUTE_MS,
)

async function deliver(keys: ProjectKeys, { steps, encoding }: Delivery, traces: readonly SentSpan[][]): Promise<void> {
  const random = mulberry32(SEED)
  const sent = new Set<string>()
  for (const step of steps(traces, random)) {
    if (step === 'decide') await untilDecided(keys, sent)
    else if (step === 'restart') {
      await product.endCollector('SIGKILL')
      await product.restartCollector()
    } else {
      const { status, text } = await sendOtlp(product.otlpUrl, keys.producer_key, bodyOf(step, encoding(random)))
      if (status !== 200) throw new Error(`the collector answered ${status}: ${text.slice(0, 300)}`)
      for (const { span } of step) sent.add(span.traceId)
    }
  }
  await untilDecided(keys, sent)
}

/** Every trace, and as long after its last span as a decision waits: an earlier one was made while that span came in. */
async function untilDecided({ agent_key }: ProjectKeys, traceIds: ReadonlySet<string>): Promise<void> {
  for (const traceId of traceIds) {
    await until(`trace ${traceId} to be decided`, async () => {
      const url = `${product.analyzerUrl}/v1/traces/${traceId}/receipt`
      const receipt = await readJson<{ decided_at: string | null; last_received_at: string }>(url, agent_key)
      return Date.parse(receipt.decided_at ?? '') - Date.parse(receipt.last_received_at) >= QUIET_MS ? true : null
    })
  }
}

async function diagnose({ agent_key }: ProjectKeys): Promise<string> {
  const { status, text } = await callApi(`${product.analyzerUrl}/v1/runs/diagnose`, {
    key: agent_key,
    json: { since_minutes: 60 },
  })
  if (status !== 200) throw new Error(`diagnose answered ${status}: ${text.slice(0, 500)}`)
  return text
}

/** A span may come in while its trace is being decided, and is corrected right after: the answer is what it comes to rest at. */
async function settled(keys: ProjectKeys, wanted: object | undefined): Promise<object> {
  const endMs = performance.now() + SETTLED_MS
  for (;;) {
    const packet = withoutNames(await diagnose(keys))
    if (wanted === undefined || isDeepStrictEqual(packet, wanted) || performance.now() > endMs) return packet
  }
}

/** A window is whole minutes: what crosses into the next one is asked again. */
async function withinOneMinute<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    const minute = Math.floor(Date.now() / MINUTE_MS)
    const result = await work()
    if (Math.floor(Date.now() / MINUTE_MS) === minute) return result
  }
}

/** Two projects share no ids, and digests are made of ids: each is replaced by its place in the text. The window is when it was asked. */
function withoutNames(answer: string): object {
  const names = new Map<string, string>()
  const place = (name: string) => names.get(name) ?? names.set(name, `#${names.size + 1}`).get(name)!
  const text = answer.replaceAll(/\b(?:pain|eval|pkt|chg)_[0-9A-Za-z]{22}\b|\b[0-9a-f]{64}\b|(?<=plan `)[0-9a-f]{12}\b/g, place)
  const { packet } = JSON.parse(text) as { packet: Record<string, unknown> }
  const { project_id: _project, created_at: _created, window: _window, ...same } = packet
  return same
}
