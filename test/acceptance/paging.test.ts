import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { openDatabase } from '@loopkit/shared/database/open'
import { callApi, sendOtlp, until } from '../harness/http.ts'
import { attributes, type SpanJson, spanJson, traceRequest } from '../harness/otlp-json.ts'
import { type Product, type ProjectKeys, startProduct } from '../harness/start-product.ts'

const MINUTE_MS = 60_000
/** Small bodies, each a commit of its own: more than are joined at once. */
const BODIES = 50
/** Shown in one page after the other of a few records each. */
const LARGE_TRACE = 'ab'.repeat(16)

let product: Product
let keys: ProjectKeys
let sent: string[]
beforeAll(async () => {
  product = await startProduct()
  keys = await product.provision('paging')
  sent = []
  for (let n = 0; n < BODIES; n++) await send(n)
}, MINUTE_MS)
afterAll(() => product?.stop())

const hex = (bytes: number) => randomBytes(bytes).toString('hex')

/** A turn of a session of its own that failed in its own way, and a span of the large trace. */
async function send(n: number): Promise<void> {
  const word = `step${String.fromCharCode(97 + (n % 26), 97 + Math.floor(n / 26))}`
  const turn: SpanJson = {
    ...spanJson({ traceId: hex(16), spanId: hex(8), name: word, status: { code: 2, message: `${word} gave up` } }),
    attributes: attributes({ 'session.id': `visit-${n}`, 'gen_ai.operation.name': 'chat' }),
  }
  const part = spanJson({ traceId: LARGE_TRACE, spanId: hex(8), name: `part ${n}` })
  const answer = await sendOtlp(product.otlpUrl, keys.producer_key, traceRequest('shop', [turn, part]))
  expect(answer.status).toBe(200)
  sent.push(turn.spanId, part.spanId)
}

interface Page {
  items: Record<string, unknown>[]
  next_cursor: string | null
}

/** Follows the cursor to the end while more is sent after each page; what `nameOf` says of each item, in order. */
async function readAll(path: string, nameOf: (item: Record<string, unknown>) => string, sendMore: () => Promise<void>) {
  const names: string[] = []
  let pages = 0
  for (let cursor: string | null = ''; cursor !== null; pages++) {
    const url = `${product.analyzerUrl}${path}${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`
    const answer = await callApi(url, { key: keys.agent_key })
    expect([answer.status, answer.text.slice(0, 200)]).toEqual([200, expect.any(String)])
    const page = answer.json<Page>()
    names.push(...page.items.map(nameOf))
    cursor = page.next_cursor
    await sendMore()
  }
  return { names, pages }
}

function segments(): number {
  const db = openDatabase(join(product.dataDir, 'telemetry.db'), { role: 'reader' })
  try {
    return db.prepare("select count(*) from segment where kind = 'span' and project_no <> 0").pluck().get() as number
  } finally {
    db.close()
  }
}

test(
  'lists show what was there at the beginning once, in pages, while more arrives and segments are merged',
  async () => {
    const before = new Set(sent)
    let n = BODIES
    const sendMore = () => send(n++)
    for (const [path, nameOf, expected] of [
      ['/v1/telemetry?limit=7', (item) => String(item.span_id), [...before]],
      [`/v1/telemetry?limit=6&trace_id=${LARGE_TRACE}`, (item) => String(item.span_id), sent.filter((_, at) => at % 2 === 1)],
      ['/v1/sessions?limit=5', (item) => String(item.session_id), Array.from({ length: BODIES }, (_, at) => `visit-${at}`)],
      [
        `/v1/sessions/${LARGE_TRACE}?view=skeleton&budget_tokens=900`,
        (item) => String(item.span_id),
        sent.filter((_, at) => at % 2 === 1),
      ],
    ] as [string, (item: Record<string, unknown>) => string, string[]][]) {
      const { names, pages } = await readAll(path, nameOf, sendMore)
      expect([path, pages > 3]).toEqual([path, true])
      expect([path, names.length - new Set(names).size]).toEqual([path, 0])
      expect([path, expected.filter((name) => !names.includes(name))]).toEqual([path, []])
    }
    const pains = await readAll('/v1/pains?limit=9', (item) => String(item.pain_id), sendMore)
    expect([pains.names.length >= BODIES, new Set(pains.names).size]).toEqual([true, pains.names.length])
    await until('small segments to be joined', () => (segments() < n / 2 ? true : null), MINUTE_MS)
    const { names } = await readAll(
      '/v1/telemetry?limit=50',
      (item) => String(item.span_id),
      async () => {},
    )
    expect([names.length, new Set(names).size]).toEqual([sent.length, sent.length])
  },
  3 * MINUTE_MS,
)
