import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { callApi } from '../harness/http.ts'
import { type Product, type ProjectKeys, startProduct } from '../harness/start-product.ts'
import { shellCommands } from './shell-commands.ts'

const run = promisify(execFile)
const MINUTE_MS = 60_000
const DOCUMENTS = [
  ['/llms.txt', 'text/plain'],
  ['/agents.md', 'text/markdown'],
  ['/quickstart.md', 'text/markdown'],
  ['/auth.md', 'text/markdown'],
  ['/contact.json', 'application/json'],
  ['/openapi.json', 'application/json'],
  ['/schema/improvement-packet.json', 'application/json'],
] as const

let product: Product
let keys: ProjectKeys
beforeAll(async () => {
  product = await startProduct()
  keys = await product.provision('documents')
}, MINUTE_MS)
afterAll(() => product?.stop())

test.each(DOCUMENTS)('%s is public', async (path, type) => {
  const answer = await callApi(`${product.analyzerUrl}${path}`)
  expect([answer.status, answer.headers.get('content-type')?.split(';')[0]]).toEqual([200, type])
  if (type === 'application/json') expect(() => answer.json()).not.toThrow()
  else expect(answer.text.length).toBeGreaterThan(200)
})

test('/llms.txt names the other documents', async () => {
  const { text } = await callApi(`${product.analyzerUrl}/llms.txt`)
  for (const path of ['/agents.md', '/quickstart.md', '/auth.md', '/openapi.json']) expect(text).toContain(path)
})

test('/openapi.json describes every route of the loop', async () => {
  const document = (await callApi(`${product.analyzerUrl}/openapi.json`)).json<{
    openapi: string
    paths: Record<string, unknown>
  }>()
  expect(document.openapi).toMatch(/^3\.1/)
  for (const path of [
    '/v1/provision',
    '/v1/signup',
    '/v1/recover',
    '/v1/runs/diagnose',
    '/v1/telemetry',
    '/v1/sessions/{id}',
    '/v1/pains',
    '/v1/changes',
    '/v1/runs/verify',
    '/v1/ingest/ledger',
  ]) {
    expect(Object.keys(document.paths)).toContain(path)
  }
})

describe('the commands in the documents do what they say', () => {
  test.each(['/quickstart.md', '/agents.md', '/auth.md', '/llms.txt'])(
    '%s',
    async (path) => {
      const { text } = await callApi(`${product.analyzerUrl}${path}`)
      // In one shell, as a reader types them: what one block exports the next one uses.
      await runAsAReader(shellCommands(text).join('\n'))
    },
    MINUTE_MS,
  )
})

test('the dashboard link opens a page that names the project, without a script of another origin', async () => {
  const link = new URL(keys.dashboard_url)
  expect(link.hash.length).toBeGreaterThan(20)
  const page = await callApi(`${product.analyzerUrl}${link.pathname}${link.search}`)
  expect([page.status, page.headers.get('content-type')?.split(';')[0]]).toEqual([200, 'text/html'])
  expect(page.text).toContain('Lost your key?')
  expect(page.text).not.toMatch(/(?:src|href)="https?:\/\//)
})

/** With what a reader has at this point: the two URLs and the keys of a project. */
async function runAsAReader(command: string): Promise<void> {
  const env = {
    PATH: process.env.PATH,
    HOME: product.dataDir,
    LOOPKIT_URL: product.analyzerUrl,
    LOOPKIT_OTLP_URL: product.otlpUrl,
    LOOPKIT_KEY: keys.agent_key,
    LOOPKIT_INGEST_KEY: keys.producer_key,
  }
  const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', command], { env, timeout: MINUTE_MS })
  // curl without --fail reports a refusal as success: the answer says it.
  expect(`${command}\n${stdout}`).not.toMatch(/"status":\s*[45]\d\d\b/)
}
