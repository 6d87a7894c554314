import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type ClockShim, createClockShim } from '../faults/clock-shim.ts'
import { whyNoShim } from '../faults/fault-shim.ts'
import { callApi, sendOtlp, until } from '../harness/http.ts'
import { type SpanJson, spanJson, traceRequest } from '../harness/otlp-json.ts'
import { type Page, readJson } from '../harness/reading.ts'
import { type Product, type ProjectKeys, startProduct } from '../harness/start-product.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
/** The story ends before the machine's own time, so that nothing in it lies in the future. */
const STORY_HOURS = 40

interface Verdict {
  verdict: string
  reason: string | null
  before: { failures: number; runs: number }
  after: { failures: number; runs: number }
  versions: string[]
}
interface Pain {
  pain_id: string
  title: string
  trend: string | null
}
type Label = { verdict: string; reason?: string | null; before?: [number, number]; after?: [number, number] }

const why = whyNoShim()
const told = why === null ? describe : describe.skip

told(`four releases, told by the clocks of both processes${why === null ? '' : `: skipped, ${why}`}`, () => {
  let clock: ClockShim
  let product: Product
  let keys: ProjectKeys
  const startMs = Date.now() - STORY_HOURS * HOUR_MS

  /** It is now so many hours after the story began. */
  const setHour = (hour: number) => clock.setOffset(startMs + hour * HOUR_MS - Date.now())
  const timeAt = (hour: number) => new Date(startMs + hour * HOUR_MS).toISOString()

  beforeAll(async () => {
    clock = createClockShim()
    setHour(0)
    product = await startProduct({ env: { ...clock.env, LOOPKIT_QUIET_MS: '200' } })
    keys = await product.provision('four releases')
  }, MINUTE_MS)
  afterAll(async () => {
    await product?.stop()
    clock?.remove()
  })

  const hex = (bytes: number) => randomBytes(bytes).toString('hex')
  const post = async <T>(path: string, json: object) => {
    const answer = await callApi(`${product.analyzerUrl}${path}`, { method: 'POST', key: keys.agent_key, json })
    expect({ path, status: answer.status, text: answer.text }).toMatchObject({ status: 200 })
    return answer.json<T>()
  }
  const pains = async () =>
    (await readJson<Page<Pain>>(`${product.analyzerUrl}/v1/pains?since_minutes=43200`, keys.agent_key)).items
  const painOf = async (word: string) => (await pains()).find(({ title }) => title.includes(word))!

  interface Stretch {
    from: number
    to: number
    runs: number
    failures: number
    /** null: its spans say none. */
    release: string | null
    operation?: string
    message?: string
  }
  const spansOf = ({ from, to, runs, failures, operation = 'charge', message = 'card declined' }: Stretch): SpanJson[] =>
    Array.from({ length: runs }, (_, i) => {
      const startTimeMs = Math.floor(startMs + (from + ((to - from) * (i + 0.5)) / runs) * HOUR_MS)
      const fails = (i * failures) % runs < failures
      return spanJson({
        ...{ traceId: hex(16), spanId: hex(8), name: operation, startTimeUnixNano: String(BigInt(startTimeMs) * 1_000_000n) },
        ...(fails && { status: { code: 2, message } }),
      })
    })
  const send = async (stretch: Stretch) => {
    const resource: Record<string, string> = stretch.release === null ? {} : { 'service.version': stretch.release }
    const answer = await sendOtlp(product.otlpUrl, keys.producer_key, traceRequest('shop', spansOf(stretch), resource))
    expect(answer.status).toBe(200)
  }
  /** As it happens: what ran within an hour arrives at its end. */
  const live = async (from: number, to: number, perHour: Omit<Stretch, 'from' | 'to'>) => {
    for (let hour = from; hour < to; hour++) {
      setHour(hour + 1)
      await send({ ...perHour, from: hour, to: hour + 1 })
    }
  }
  const announce = async (json: object) =>
    (await post<{ change_id: string }>('/v1/changes', { kind: 'release', service: 'shop', ...json })).change_id
  /** Asks again until what is read says so, since traces are decided in the background. */
  const isSaid = async (change_id: string, { verdict, reason = null, before, after }: Label) => {
    const side = (counts: [number, number] | undefined) => counts && { failures: counts[0], runs: counts[1] }
    const label = { verdict, reason, ...(before && { before: side(before) }), ...(after && { after: side(after) }) }
    let said: Verdict | null = null
    const matches = (one: Verdict) => {
      const { failures, runs } = one.after
      return (!after || (failures === after[0] && runs === after[1])) && (!before || one.before.runs === before[1])
    }
    await until('all that arrived to be decided', async () => {
      said = await post<Verdict>('/v1/runs/verify', { change_id })
      return matches(said) && said.reason === reason ? said : null
    }).catch(() => null)
    expect(said).toMatchObject(label)
  }

  let declined: string
  let refund: string
  let fix: string
  test(
    'a fix has held, its canary counted by its own version and spans without one by their time',
    async () => {
      await live(0, 4, { release: '1.0', runs: 60, failures: 12 })
      await send({ from: 3, to: 4, release: '1.0', runs: 40, failures: 20, operation: 'refund', message: 'refund refused' })
      setHour(4.1)
      declined = (await until('the first pain', async () => (await painOf('declined')) ?? null)).pain_id
      refund = (await until('the second pain', async () => (await painOf('refund')) ?? null)).pain_id
      for (const hour of [4, 5]) {
        setHour(hour + 1)
        await send({ from: hour, to: hour + 1, release: '1.0', runs: 54, failures: 11 })
        await send({ from: hour, to: hour + 1, release: '1.1', runs: 6, failures: 0 })
      }
      fix = await announce({ version: '1.1', pain_ids: [declined], shipped_at: timeAt(6) })
      await live(6, 10, { release: '1.1', runs: 50, failures: 0 })
      await send({ from: 6.2, to: 9.9, release: null, runs: 30, failures: 0 })
      setHour(10.1)
      await isSaid(fix, { verdict: 'held', before: [70, 348], after: [0, 242] })
    },
    MINUTE_MS,
  )

  test(
    'a queue of the old version that is flushed hours late moves no verdict and makes no spike',
    async () => {
      const trend = async () => (await painOf('declined')).trend
      const before = await trend()
      await send({ from: 3, to: 4, release: '1.0', runs: 60, failures: 12 })
      setHour(10.2)
      await isSaid(fix, { verdict: 'held', before: [82, 408], after: [0, 242] })
      expect(await trend()).toBe(before)
      await send({ from: 9, to: 10, release: null, runs: 40, failures: 0 })
      setHour(10.3)
      await isSaid(fix, { verdict: 'held', before: [82, 408], after: [0, 282] })
    },
    MINUTE_MS,
  )

  let regression: string
  test(
    'a release that brings the failures back has slipped, and is worse by itself',
    async () => {
      regression = await announce({ version: '1.2', pain_ids: [declined], shipped_at: timeAt(11) })
      await live(11, 14, { release: '1.2', runs: 60, failures: 24 })
      setHour(14.1)
      await isSaid(fix, { verdict: 'slipped', before: [82, 408], after: [72, 462] })
      await isSaid(regression, { verdict: 'worse', before: [82, 690], after: [72, 180] })
    },
    MINUTE_MS,
  )

  test(
    'a rollback is judged by the old version since it came back, and stragglers count for what was rolled back',
    async () => {
      const rollback = await announce({ version: '1.1', ref: 'rollback', pain_ids: [declined], shipped_at: timeAt(14.2) })
      await send({ from: 14.3, to: 14.9, release: '1.2', runs: 10, failures: 4 })
      await live(15, 18, { release: '1.1', runs: 60, failures: 0 })
      setHour(18.1)
      // Of 1.1 only what ran since; of what carried no version what ran before.
      await isSaid(rollback, { verdict: 'held', before: [158, 668], after: [0, 180] })
    },
    MINUTE_MS,
  )

  test(
    'an idle path, an old version that stays and a service at rest are told as such, never as held',
    async () => {
      const idle = await announce({ version: '1.3', pain_ids: [refund], shipped_at: timeAt(18.2) })
      await live(19, 21, { release: '1.3', runs: 60, failures: 0 })
      const undeployed = await announce({ version: '2.0', pain_ids: [declined], shipped_at: timeAt(21.2) })
      await live(22, 24, { release: '1.3', runs: 60, failures: 0 })
      setHour(24.1)
      await isSaid(idle, { verdict: 'refused', reason: 'path_not_exercised', after: [0, 0] })
      await isSaid(undeployed, { verdict: 'refused', reason: 'still_on_old_version', after: [0, 0] })
      const config = await announce({ kind: 'config', pain_ids: [declined], shipped_at: timeAt(24.2) })
      setHour(26)
      await isSaid(config, { verdict: 'refused', reason: 'no_data', after: [0, 0] })
    },
    MINUTE_MS,
  )

  test('versions appear in the ledger by themselves, in their order, but for the first and for those announced', async () => {
    const { items } = await readJson<Page<{ version: string; source: string }>>(
      `${product.analyzerUrl}/v1/changes`,
      keys.agent_key,
    )
    expect(items.map(({ version }) => version)).toEqual([null, '2.0', '1.3', '1.1', '1.2', '1.1'])
    expect(items.every(({ source }) => source === 'announced')).toBe(true)
  })
})
