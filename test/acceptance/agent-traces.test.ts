import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { callApi } from '../harness/http.ts'
import { type Page, type RecordJson, readJson } from '../harness/reading.ts'
import { type Product, type ProjectKeys, startProduct } from '../harness/start-product.ts'
import { absentMessage, hasSharedData, sharedData } from './source-spans.ts'

const MINUTE_MS = 60_000
const SENDERS = 2
const TOP = 5

interface Issue {
  pain_id: string
  title: string
  count: number
  evidence_ids: string[]
}

if (!hasSharedData) console.warn(absentMessage)
const whereDataIs = hasSharedData ? describe : describe.skip

whereDataIs('real agent traces in one project', () => {
  let product: Product
  let keys: ProjectKeys
  let packet: { status: string; issues: Issue[]; approval_required: boolean }

  beforeAll(async () => {
    product = await startProduct()
    keys = await product.provision('trail')
    await sendAll(product.otlpUrl, keys.producer_key)
    const answer = await callApi(`${product.analyzerUrl}/v1/runs/diagnose`, { key: keys.agent_key, json: { since_minutes: 60 } })
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
