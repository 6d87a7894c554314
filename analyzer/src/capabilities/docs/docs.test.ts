import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { startTestAnalyzer, type TestAnalyzer } from '../../start/analyzer.fixture.ts'

const PUBLIC_URL = 'https://loopkit.example'
let analyzer: TestAnalyzer
beforeAll(async () => {
  analyzer = await startTestAnalyzer({ env: { LOOPKIT_PUBLIC_URL: PUBLIC_URL, LOOPKIT_PUBLIC_OTLP_URL: 'https://otlp.example' } })
})
afterAll(() => analyzer.end())

describe('the public documents', () => {
  test.each([
    ['/llms.txt', 'text/plain; charset=utf-8'],
    ['/agents.md', 'text/markdown; charset=utf-8'],
    ['/quickstart.md', 'text/markdown; charset=utf-8'],
    ['/auth.md', 'text/markdown; charset=utf-8'],
    ['/contact.json', 'application/json'],
    ['/openapi.json', 'application/json'],
    ['/schema/improvement-packet.json', 'application/json'],
  ])('%s needs no key and speaks of the public address only', async (path, type) => {
    const { status, headers, text } = await analyzer.call('GET', path)
    expect([status, headers.get('content-type')]).toEqual([200, type])
    expect(text).not.toContain(`:${analyzer.port}`)
    if (path !== '/schema/improvement-packet.json') expect(text).toContain(PUBLIC_URL)
  })

  test.each(['/llms.txt', '/agents.md', '/quickstart.md', '/auth.md'])('the addresses that %s names exist', async (path) => {
    const { text } = await analyzer.call('GET', path)
    const named = new Set([...text.matchAll(/https:\/\/loopkit\.example(\/[\w./-]*\w)/g)].map(([, found]) => found as string))
    expect(named.size).toBeGreaterThan(0)
    for (const found of named) expect([found, (await analyzer.call('GET', found)).status]).toEqual([found, 200])
  })

  test.each(['/llms.txt', '/agents.md', '/quickstart.md', '/auth.md'])(
    'the routes that the commands of %s call are described',
    async (path) => {
      const { text } = await analyzer.call('GET', path)
      const described = JSON.stringify((await analyzer.call('GET', '/openapi.json')).body)
      for (const [, called] of text.matchAll(/"\$LOOPKIT_URL(\/v1\/(?:provision|signup|recover)[\w/]*)/g)) {
        expect(described).toContain(`"${called}"`)
      }
    },
  )
})

test('the OpenAPI document names every operation once and refers to nothing that is not there', async () => {
  const { text } = await analyzer.call('GET', '/openapi.json')
  const document = JSON.parse(text) as { components: { schemas: object }; servers: { url: string }[] }
  const operations = [...text.matchAll(/"operationId":"(\w+)"/g)].map(([, name]) => name)
  expect(new Set(operations).size).toBe(operations.length)
  const referred = new Set([...text.matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name))
  expect(Object.keys(document.components.schemas)).toEqual(expect.arrayContaining([...referred]))
  expect(document.servers).toEqual([{ url: PUBLIC_URL }])
})

test('no pattern of the published schemas needs Unicode classes, which not every reader of JSON Schema knows', async () => {
  const { text } = await analyzer.call('GET', '/openapi.json')
  expect(text).toContain('"pattern"')
  expect(text).not.toMatch(/\\\\[pP]\{/)
})
