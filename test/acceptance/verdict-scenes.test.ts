import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { callApi, sendOtlp, until } from '../harness/http.ts'
import { createOpenApiValidator, type ValidateAnswer } from '../harness/openapi-validator.ts'
import { traceRequest } from '../harness/otlp-json.ts'
import { type Product, startProduct } from '../harness/start-product.ts'
import { DAY_MS, drawScene, failingTrace, type Stretch } from './verdict-scenes.ts'

interface Side {
  failures: number
  runs: number
}
interface Verdict {
  verdict: string
  reason: string | null
  runs_needed: number | null
  before: Side
  after: Side
  ratio: { value: number | null }
  change_percent: number | null
  control: { kind: string } | null
  versions: string[]
}
interface ChangeJson {
  change_id: string
  version: string | null
}

let product: Product
let validate: ValidateAnswer
beforeAll(async () => {
  product = await startProduct({ env: { LOOPKIT_QUIET_MS: '200' } })
  validate = await createOpenApiValidator(product.analyzerUrl)
}, 60_000)
afterAll(() => product?.stop())

/** A project of its own, in which days pass as fast as they are sent. */
async function replay(name: string) {
  const nowMs = Date.now()
  const keys = await product.provision(name.slice(0, 40))
  const call = async <Body>(method: 'GET' | 'POST', path: string, json?: object): Promise<Body> => {
    const answer = await callApi(`${product.analyzerUrl}${path}`, { method, key: keys.agent_key, ...(json && { json }) })
    const body = answer.json<Body>()
    expect([path, answer.status, validate(method, path, answer.status, body)]).toEqual([path, 200, []])
    return body
  }
  const settled = async () => {
    const { traceId, span } = failingTrace()
    await sendOtlp(product.otlpUrl, keys.producer_key, traceRequest('last', [span]))
    await until('all to be decided', async () => {
      const path = `${product.analyzerUrl}/v1/traces/${traceId}/receipt`
      const { decided_at } = (await callApi(path, { key: keys.agent_key })).json<{ decided_at: string | null }>()
      return decided_at
    })
  }
  return {
    at: (day: number) => new Date(nowMs - day * DAY_MS).toISOString(),
    send: async (...stretches: Stretch[]) => {
      for (const request of drawScene(nowMs, stretches))
        expect((await sendOtlp(product.otlpUrl, keys.producer_key, request)).status).toBe(200)
      await settled()
    },
    pain: async (words = 'declined') =>
      (await call<{ items: { pain_id: string; title: string }[] }>('GET', '/v1/pains')).items.find(({ title }) =>
        title.includes(words),
      )!.pain_id,
    changes: async () => (await call<{ items: ChangeJson[] }>('GET', '/v1/changes')).items,
    announce: (json: object) => call<ChangeJson>('POST', '/v1/changes', { kind: 'release', ...json }),
    verify: (json: object) => call<Verdict>('POST', '/v1/runs/verify', json),
    dashboard: () =>
      call<{ wins: Verdict[]; regressions_detail: Verdict[]; value: { momentum: string } }>('GET', '/v1/dashboard'),
  }
}

const [OLD, NEW] = [
  { fromDay: 10, toDay: 5, runs: 600, failures: 90, release: '1.0' },
  { fromDay: 5, toDay: 1, runs: 600, failures: 3, release: '1.1' },
]
const without = ({ release: _, ...stretch }: Stretch): Stretch => stretch

describe('ten days sent in a second', () => {
  test.each<[string, Stretch[], { service?: string; version?: string; at?: number }, number[]]>([
    ['what is announced with version and service', [OLD, NEW], { service: 'shop', version: '1.1' }, [90, 600, 3, 600]],
    ['a version without its service', [OLD, NEW], { version: '1.1' }, [90, 600, 3, 600]],
    ['a version, though shipped_at is days wrong', [OLD, NEW], { version: '1.1', at: 2 }, [90, 600, 3, 600]],
    ['a time alone', [without(OLD), without(NEW)], { at: 5 }, [90, 600, 3, 600]],
    [
      'records of which half carry a version',
      [OLD, without(OLD), NEW, without(NEW)],
      { version: '1.1', at: 5 },
      [180, 1200, 6, 1200],
    ],
  ])('are judged by %s', async (name, stretches, { at, ...change }, [fb, rb, fa, ra]) => {
    const project = await replay(name)
    await project.send(...stretches)
    const pain_id = await project.pain()
    const { change_id } = await project.announce({ ...change, pain_ids: [pain_id], ...(at && { shipped_at: project.at(at) }) })
    const said = await project.verify({ change_id })
    expect(said).toMatchObject({ verdict: 'held', before: { failures: fb, runs: rb }, after: { failures: fa, runs: ra } })
    expect(said.ratio.value).toBeCloseTo(fa! / ra! / (fb! / rb!))
    expect(said.change_percent).toBeCloseTo((fa! / ra! / (fb! / rb!) - 1) * 100, 0)
    expect(await project.verify({ change_id })).toEqual(said)
    expect(await project.verify({ pain_id })).toEqual(said)
  })

  test('are judged by their time where the version is that of a prompt: no record carries it', async () => {
    const project = await replay('prompt')
    await project.send({ ...OLD, release: '7' }, { ...NEW, release: '7' })
    const change = {
      kind: 'prompt',
      service: 'shop',
      version: 'v12',
      pain_ids: [await project.pain()],
      shipped_at: project.at(5),
    }
    const { change_id } = await project.announce(change)
    expect(await project.verify({ change_id })).toMatchObject({ verdict: 'held', before: { runs: 600 }, after: { runs: 600 } })
  })

  test('slip where failures come back, whether anybody looked before or not', async () => {
    const back = { fromDay: 1, toDay: 0.1, runs: 400, failures: 60, release: '1.1' }
    for (const isAsked of [true, false]) {
      const project = await replay(`slips ${isAsked}`)
      await project.send(OLD)
      const { change_id } = await project.announce({
        version: '1.1',
        pain_ids: [await project.pain()],
        shipped_at: project.at(5),
      })
      await project.send(NEW)
      if (isAsked) expect(await project.verify({ change_id })).toMatchObject({ verdict: 'held' })
      await project.send(back)
      expect(await project.verify({ change_id })).toMatchObject({ verdict: 'slipped', after: { failures: 63, runs: 1000 } })
      expect(await project.dashboard()).toMatchObject({
        wins: [],
        regressions_detail: [{ verdict: 'slipped' }],
        value: { momentum: 'slipping' },
      })
    }
  })
})

test('a fix that was rolled back has slipped, whoever asks and whether or not the rollback is announced', async () => {
  const project = await replay('rolled back')
  await project.send(OLD)
  const pain_id = await project.pain()
  const { change_id } = await project.announce({ version: '1.1', pain_ids: [pain_id], shipped_at: project.at(5) })
  await project.send(NEW)
  expect(await project.verify({ change_id })).toMatchObject({ verdict: 'held' })
  await project.send({ ...OLD, fromDay: 0.9, toDay: 0.1, runs: 200, failures: 0 })
  expect(await project.verify({ change_id })).toMatchObject({ verdict: 'held' })
  await project.send({ ...OLD, fromDay: 0.9, toDay: 0.1, runs: 200, failures: 60 })
  const slipped = {
    verdict: 'slipped',
    detail: expect.stringMatching(
      /^held until .*, when the version before it came back: 3 of 600 runs failed until then, 60 of 400 runs failed since$/,
    ),
  }
  expect(await project.verify({ change_id })).toMatchObject(slipped)
  expect(await project.verify({ pain_id })).toMatchObject(slipped)
  expect(await project.dashboard()).toMatchObject({ wins: [], regressions_detail: [{ pain_id, verdict: 'slipped' }] })
})

test('releases that were fine, broken, mended and idle are told one by one, each against what ran just before it', async () => {
  const project = await replay('four of a kind')
  await project.send(
    { fromDay: 10, toDay: 8, runs: 400, failures: 0, release: 'a' },
    { fromDay: 8, toDay: 6, runs: 400, failures: 70, release: 'b' },
    { fromDay: 6, toDay: 4, runs: 400, failures: 1, release: 'c' },
    { fromDay: 4, toDay: 2, runs: 400, failures: 0, release: 'd', operation: 'browse' },
  )
  const pain_id = await project.pain()
  const said: Record<string, string> = {}
  for (const { change_id, version } of await project.changes()) {
    const { verdict, reason } = await project.verify({ change_id, pain_id })
    said[version!] = reason ?? verdict
    // Of the whole service as of its one failing operation: other calls that are fine are no fix.
    expect((await project.verify({ change_id })).verdict).toBe(verdict)
  }
  expect(said).toEqual({ b: 'worse', c: 'held', d: 'path_not_exercised' })
})

test('a pain that nobody tied to a release is judged by the one that mended it, not by those after it', async () => {
  const project = await replay('mended before')
  const fine = { runs: 300, failures: 0 }
  await project.send(
    OLD,
    NEW,
    { ...fine, fromDay: 1, toDay: 0.6, release: '1.2' },
    { ...fine, fromDay: 0.6, toDay: 0.1, release: '1.3' },
  )
  const pain_id = await project.pain()
  const mended = (await project.changes()).find(({ version }) => version === '1.1')!.change_id
  expect(await project.verify({ pain_id })).toMatchObject({ verdict: 'held', change_id: mended })
})

describe('two versions side by side', () => {
  const old = { fromDay: 10, toDay: 5, runs: 1000, failures: 50, release: '1' }
  test.each([
    ['that mends is told by what ran beside it, through an outage of both', 400, 12, 'held'],
    ['that fails as the old one does in an outage is not worse', 400, 120, 'not worse'],
    ['that breaks is worse', 200, 150, 'worse'],
  ])('one %s', async (name, runs, failures, verdict) => {
    const project = await replay(`canary ${name}`)
    await project.send(
      old,
      { fromDay: 5, toDay: 3, runs: 1000, failures: 300, release: '1' },
      { fromDay: 5, toDay: 3, runs, failures, release: '2' },
    )
    const said = await project.verify({ pain_id: await project.pain() })
    expect(said).toMatchObject({ control: { kind: 'same_time' }, versions: ['1', '2'] })
    expect(said).toMatchObject({ before: { failures: 350, runs: 2000 }, after: { failures, runs } })
    if (verdict === 'not worse') expect(['refused', 'unchanged']).toContain(said.verdict)
    else expect(said.verdict).toBe(verdict)
  })
})

test.each([
  ['still_on_old_version', [OLD, { ...OLD, fromDay: 5, toDay: 1 }], { version: '9', at: 5 }],
  ['path_not_exercised', [OLD, { ...NEW, failures: 0, operation: 'browse' }], { version: '1.1', at: 5 }],
  ['no_data', [OLD], { version: '1.1', at: 4 }],
  ['insufficient_traffic', [OLD, { ...NEW, runs: 12, failures: 0 }], { version: '1.1', at: 5 }],
  [
    'sampling_changed',
    [
      { ...without(OLD), failures: 60 },
      { ...without(NEW), runs: 120, failures: 60 },
    ],
    { at: 5 },
  ],
])('a verdict is refused: %s', async (reason, stretches, { at, ...change }) => {
  const project = await replay(reason)
  await project.send(...stretches)
  const { change_id } = await project.announce({ ...change, pain_ids: [await project.pain()], shipped_at: project.at(at) })
  const said = await project.verify({ change_id })
  expect(said).toMatchObject({ verdict: 'refused', reason })
  if (reason === 'insufficient_traffic') expect(said.runs_needed).toBeGreaterThan(0)
  else expect(said.runs_needed).toBeNull()
})

test('other failures that stay as they are hide no fix, and a failure with new words is none', async () => {
  const project = await replay('words')
  const bank = { message: 'bank says no', failures: 120 }
  await project.send(OLD, { ...OLD, ...bank }, NEW, { ...NEW, ...bank })
  const { change_id } = await project.announce({ version: '1.1', pain_ids: [await project.pain()] })
  expect(await project.verify({ change_id })).toMatchObject({ verdict: 'held', after: { failures: 3, runs: 1200 } })
  const moved = await replay('moved words')
  await moved.send(OLD, { ...NEW, message: 'no such card', failures: 88 })
  expect(await moved.verify({ pain_id: await moved.pain() })).toMatchObject({ verdict: 'moved' })
})
