import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { callApi } from '../harness/http.ts'
import { createOpenApiValidator } from '../harness/openapi-validator.ts'
import { type Page, type RecordJson, readJson } from '../harness/reading.ts'
import { type Product, type ProjectKeys, startProduct } from '../harness/start-product.ts'
import { describeWithSharedData, sharedData } from './shared-data.ts'

const MINUTE_MS = 60_000
const SENDERS = 2
const TOP = 5

interface Issue {
  pain_id: string
  title: string
  count: number
  evidence_ids: string[]
}

describeWithSharedData('real agent traces in one project', () => {
  let product: Product
  let keys: ProjectKeys
  let packet: { packet_id: string; status: string; issues: Issue[]; approval_required: boolean }
  let diagnosisText: string

  beforeAll(async () => {
    product = await startProduct()
    keys = await product.provision('trail')
    await sendAll(product.otlpUrl, keys.producer_key)
    const answer = await callApi(`${product.analyzerUrl}/v1/runs/diagnose`, { key: keys.agent_key, json: { since_minutes: 60 } })
    diagnosisText = answer.text
    packet = answer.json<{ packet: typeof packet }>().packet
  }, 2 * MINUTE_MS)
  afterAll(() => product?.stop())

  test('the packet is ready for an issue diagnosis', () => {
    expect([packet.status, packet.approval_required]).toEqual(['ready_for_issue_diagnosis', true])
  })

  test(
    'every evidence id in it resolves',
    async () => {
      const ids = packet.issues.flatMap(({ evidence_ids }) => evidence_ids)
      expect(ids.length).toBeGreaterThanOrEqual(packet.issues.length)
      for (const id of ids) {
        const { items } = await readJson<Page<RecordJson>>(`${product.analyzerUrl}/v1/telemetry?record_id=${id}`, keys.agent_key)
        expect(items.map(({ record_id }) => record_id)).toEqual([id])
      }
    },
    MINUTE_MS,
  )

  test('the empty argument of PageDownTool and the UnboundLocalError are two pains, both among the top five', async () => {
    const top = packet.issues.slice(0, TOP)
    const texts = await Promise.all(top.map(textOf))
    const pageDown = texts.findIndex((text) => text.includes("PageDownTool.forward() got an unexpected keyword argument ''"))
    const unbound = texts.findIndex((text) => text.includes('UnboundLocalError'))
    expect({ titles: top.map(({ title }) => title), pageDown, unbound }).toMatchObject({
      pageDown: expect.any(Number),
      unbound: expect.any(Number),
    })
    expect(pageDown).toBeGreaterThanOrEqual(0)
    expect(unbound).toBeGreaterThanOrEqual(0)
    expect(pageDown).not.toBe(unbound)
  })

  test('the packet is read again byte for byte', async () => {
    const { text } = await callApi(`${product.analyzerUrl}/v1/packets/${packet.packet_id}`, { key: keys.agent_key })
    expect(diagnosisText).toBe(`{"ok":true,"packet":${text}}`)
  })

  test(
    'every answer keeps to the schema that /openapi.json publishes',
    async () => {
      const validate = await createOpenApiValidator(product.analyzerUrl)
      expect(validate('POST', '/v1/runs/diagnose', 200, JSON.parse(diagnosisText))).toEqual([])
      const [issue] = packet.issues
      const [record] = (await readJson<Page<RecordJson>>(`${product.analyzerUrl}/v1/telemetry?limit=20`, keys.agent_key)).items
      for (const [path, given] of [
        ['/v1/packets/{id}', packet.packet_id],
        ['/v1/pains', ''],
        ['/v1/pains/{id}', issue?.pain_id],
        ['/v1/pains/{id}/why', issue?.pain_id],
        ['/v1/telemetry', ''],
        ['/v1/sessions', ''],
        ['/v1/sessions/{id}', record?.trace_id],
        ['/v1/ingest/ledger', ''],
        ['/v1/traces/{id}/receipt', record?.trace_id],
        ['/v1/dashboard', ''],
        ['/v1/changes', ''],
      ] as const) {
        const body = await readJson(`${product.analyzerUrl}${path.replace('{id}', String(given))}`, keys.agent_key)
        expect({ path, errors: validate('GET', path, 200, body) }).toEqual({ path, errors: [] })
      }
    },
    MINUTE_MS,
  )

  test('what is announced is in the ledger of changes, and its verdict is refused rather than guessed', async () => {
    const validate = await createOpenApiValidator(product.analyzerUrl)
    const post = (path: string, json: object) => callApi(`${product.analyzerUrl}${path}`, { key: keys.agent_key, json })
    const announced = await post('/v1/changes', { kind: 'prompt', ref: 'abc', pain_ids: [packet.issues[0]?.pain_id] })
    expect([announced.status, validate('POST', '/v1/changes', announced.status, announced.json())]).toEqual([200, []])
    const { change_id } = announced.json<{ change_id: string }>()
    const verdict = await post('/v1/runs/verify', { change_id })
    expect([verdict.status, validate('POST', '/v1/runs/verify', 200, verdict.json())]).toEqual([200, []])
    const { verdict: word, reason } = verdict.json<{ verdict: string; reason: string | null }>()
    expect(word).not.toBe('held')
    expect(reason).not.toBe('')
  })

  async function textOf({ evidence_ids }: Issue): Promise<string> {
    const path = `/v1/telemetry?record_id=${evidence_ids[0]}`
    const { items } = await readJson<Page<RecordJson>>(`${product.analyzerUrl}${path}`, keys.agent_key)
    return items[0]?.status.message ?? ''
  }
})

/** As the files lie there: gzip bodies, as an exporter would send them. */
async function sendAll(otlpUrl: string, key: string): Promise<void> {
  const files = readdirSync(join(sharedData, 'trail')).filter((name) => name.endsWith('.otlp.json.gz'))
  const left = files.values()
  const sender = async () => {
    for (const file of left) {
      const answer = await callApi(`${otlpUrl}/v1/traces`, {
        key,
        body: new Uint8Array(readFileSync(join(sharedData, 'trail', file))),
        headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
      })
      if (answer.status !== 200 || answer.text !== '{}') throw new Error(`${file}: ${answer.status} ${answer.text.slice(0, 300)}`)
    }
  }
  await Promise.all(Array.from({ length: SENDERS }, sender))
}
