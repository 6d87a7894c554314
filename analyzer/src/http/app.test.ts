import { connect } from 'node:net'
import { PassThrough } from 'node:stream'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { systemClock } from '@loopkit/shared/runtime/clock'
import { createLogger } from '@loopkit/shared/runtime/log'
import { createApp } from './app.ts'
import { createAdminCheck, createAuthenticate, type StoredKey, sha256 } from './auth.ts'
import { contract, route } from './contract.ts'
import { errorKind, fail } from './errors.ts'
import { type Listening, listen } from './listen.ts'
import { toOpenApi } from './openapi.ts'
import { rawJson, reply } from './reply.ts'

const teapot = errorKind({ code: 'teapot', status: 418, title: 'A teapot' })
const undeclared = errorKind({ code: 'undeclared', status: 409, title: 'Nobody said so' })

const pour = contract({
  operation: 'pour',
  summary: 'Pour tea',
  method: 'post',
  path: '/v1/pots/{id}',
  auth: { scopes: ['runs:write'] },
  params: { type: 'object', required: ['id'], properties: { id: { type: 'string' } } },
  query: {
    type: 'object',
    additionalProperties: false,
    properties: { cups: { type: 'integer', minimum: 1, maximum: 8, default: 1 }, hot: { type: 'boolean' } },
  },
  body: {
    type: 'object',
    additionalProperties: false,
    required: ['leaf'],
    properties: { leaf: { type: 'string' }, grams: { type: 'integer', minimum: 1, maximum: 50 } },
  },
  status: 201,
  otherStatuses: [200],
  response: { type: 'object', required: ['cups'], properties: { cups: { type: 'integer' } } },
  errors: [teapot],
})

const open = contract({
  operation: 'open',
  summary: 'Nothing asked',
  method: 'get',
  path: '/open',
  auth: 'none',
  status: 200,
  produces: 'text/markdown; charset=utf-8',
  response: { type: 'string' },
  errors: [],
})

const admin = contract({
  operation: 'admin',
  summary: 'For the admin',
  method: 'get',
  path: '/admin/x',
  auth: 'admin',
  query: { type: 'object', additionalProperties: false, properties: {} },
  status: 200,
  response: { type: 'object' },
  errors: [],
})

const stored = (text: string, more: Partial<StoredKey> = {}): [string, StoredKey] => [
  sha256(text).toString('hex'),
  {
    keyHash: sha256(text),
    projectNo: 1,
    projectId: 'p-1',
    projectName: 'p',
    operator: '',
    tenantId: 'sandbox',
    keyId: `key_${text}`,
    kind: 'agent',
    scopes: ['runs:write'],
    sandbox: false,
    keyExpiresAtMs: null,
    revokedAtMs: null,
    projectDeleted: false,
    projectExpiresAtMs: null,
    ...more,
  },
]
const keys = new Map([
  stored('right'),
  stored('family', { scopes: ['runs:*'] }),
  stored('reader', { scopes: ['telemetry:read'] }),
  stored('revoked', { revokedAtMs: 1 }),
  stored('expired', { keyExpiresAtMs: 1 }),
  stored('ended', { projectExpiresAtMs: 1 }),
])

let lines = ''
let server: Listening

beforeAll(async () => {
  const destination = new PassThrough().on('data', (chunk: Buffer) => {
    lines += chunk.toString()
  })
  const app = createApp({
    routes: [
      route(pour, ({ params, query, body }) => {
        if (body.leaf === 'none') fail(teapot, 'no leaf')
        if (body.leaf === 'other') return reply(200, { cups: query.cups })
        if (body.leaf === 'raw') return rawJson('{"cups": 3}')
        if (body.leaf === 'undeclared') fail(undeclared, 'oh')
        if (body.leaf === 'bug') throw new Error('a secret place in the code')
        if (body.leaf === 'broken') return { cups: 'many' as unknown as number }
        return { cups: query.cups + params.id.length }
      }),
      route(open, () => '# open'),
      route(admin, () => ({})),
    ],
    authenticate: createAuthenticate({
      findKey: (hash) => keys.get(Buffer.from(hash).toString('hex')) ?? null,
      nowMs: systemClock.nowMs,
    }),
    checkAdmin: createAdminCheck('the-admin-token'),
    takeLimit: () => ({}),
    clock: systemClock,
    log: createLogger({ service: 'test', level: 'info', pretty: false, destination }),
    enforceContract: true,
  })
  server = await listen(app, { host: '127.0.0.1', port: 0 })
})
afterAll(() => server.close(0))

const call = (path: string, init: RequestInit = {}) => fetch(server.url + path, init)
const post = (body: string, headers: Record<string, string> = {}, path = '/v1/pots/ab') =>
  call(path, { method: 'POST', body, headers: { authorization: 'Bearer right', ...headers } })

describe('a request of a keyed route', () => {
  test.each([
    ['a good one', '{"leaf":"green"}', '', 201, { cups: 3 }],
    ['a coerced query', '{"leaf":"green"}', '?cups=8', 201, { cups: 10 }],
    ['another status', '{"leaf":"other"}', '', 200, { cups: 1 }],
    ['stored JSON', '{"leaf":"raw"}', '', 201, { cups: 3 }],
  ])('answers %s', async (_, body, query, status, answer) => {
    const response = await post(body, {}, `/v1/pots/ab${query}`)
    expect(response.status).toBe(status)
    expect(await response.json()).toEqual(answer)
  })

  test.each([
    ['broken JSON', '{"leaf":', '', 400, 'malformed_json'],
    ['bytes that are not UTF-8', Buffer.from([0xff]).toString('latin1'), '', 400, 'malformed_json'],
    ['a missing field', '{}', '', 400, 'invalid_body'],
    ['no body at all', '', '', 400, 'invalid_body'],
    ['an unknown field', '{"leaf":"green","role":"admin"}', '', 400, 'invalid_body'],
    ['a number in quotes', '{"leaf":"green","grams":"3"}', '', 400, 'invalid_body'],
    ['an array', '[]', '', 400, 'invalid_body'],
    ['a query out of bounds', '{"leaf":"green"}', '?cups=9', 400, 'invalid_parameter'],
    ['a repeated query', '{"leaf":"green"}', '?cups=1&cups=2', 400, 'invalid_parameter'],
    ['an unknown query', '{"leaf":"green"}', '?sugar=1', 400, 'invalid_parameter'],
    ['a body over the limit', `{"leaf":"${'x'.repeat(1024 ** 2)}"}`, '', 413, 'body_too_large'],
    ['a refusal', '{"leaf":"none"}', '', 418, 'teapot'],
    ['an undeclared refusal', '{"leaf":"undeclared"}', '', 500, 'contract_broken'],
    ['an answer that breaks the contract', '{"leaf":"broken"}', '', 500, 'contract_broken'],
    ['a bug', '{"leaf":"bug"}', '', 500, 'internal_error'],
  ])('answers %s with problem details', async (_, body, query, status, code) => {
    const response = await post(body, {}, `/v1/pots/ab${query}`)
    expect(response.headers.get('content-type')).toBe('application/problem+json')
    expect(await response.json()).toMatchObject({ status, code, type: `urn:loopkit:problem:${code}`, title: expect.any(String) })
    expect(response.status).toBe(status)
  })

  test('names each wrong field and its bounds', async () => {
    const response = await post('{"grams":0,"a/b":1}')
    expect(((await response.json()) as { errors: unknown }).errors).toEqual([
      { pointer: '/leaf', detail: 'is required' },
      { pointer: '/a~1b', detail: 'is not a field of this request' },
      { pointer: '/grams', detail: 'must be an integer from 1 to 50' },
    ])
  })

  test.each([
    ['no key', {}, 401, 'missing_key'],
    ['a wrong key', { authorization: 'Bearer wrong' }, 401, 'invalid_key'],
    ['another scheme', { authorization: 'Basic right' }, 401, 'invalid_key'],
    ['an empty key', { authorization: 'Bearer ' }, 401, 'invalid_key'],
    ['a revoked key', { authorization: 'Bearer revoked' }, 401, 'key_revoked'],
    ['an expired key', { authorization: 'Bearer expired' }, 401, 'key_expired'],
    ['an ended sandbox', { authorization: 'Bearer ended' }, 403, 'sandbox_expired'],
    ['a missing scope', { authorization: 'Bearer reader' }, 403, 'insufficient_scope'],
    ['two different keys', { authorization: 'Bearer right', 'x-t4-api-key': 'reader' }, 400, 'ambiguous_credentials'],
    ['a page of another site', { authorization: 'Bearer right', 'sec-fetch-site': 'cross-site' }, 403, 'cross_site_request'],
    ['a foreign origin', { authorization: 'Bearer right', origin: 'http://evil.example' }, 403, 'cross_site_request'],
  ])('refuses %s', async (_, headers, status, code) => {
    const response = await call('/v1/pots/ab', {
      method: 'POST',
      body: '{"leaf":"green"}',
      headers: headers as Record<string, string>,
    })
    expect(await response.json()).toMatchObject({ status, code })
    expect(response.headers.get('www-authenticate')).toBe(status === 401 ? 'Bearer realm="loopkit"' : null)
  })

  test.each([
    ['lower-case scheme', { authorization: 'bearer right' }],
    ['the other header', { 'x-t4-api-key': 'right' }],
    ['a family of scopes', { authorization: 'Bearer family' }],
  ])('takes a key with %s', async (_, headers) => {
    const response = await call('/v1/pots/ab', {
      method: 'POST',
      body: '{"leaf":"green"}',
      headers: headers as Record<string, string>,
    })
    expect(response.status).toBe(201)
  })
})

describe('the door', () => {
  test('answers an unknown route with 404 and a known one with 405 and Allow', async () => {
    expect(await (await call('/nowhere')).json()).toMatchObject({ code: 'route_not_found' })
    const response = await call('/v1/pots/ab')
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST, OPTIONS'])
    expect((await call('/v1/pots/%E0%A4%A', { method: 'POST' })).status).toBe(400)
  })

  test('sends the security headers with every answer', async () => {
    for (const path of ['/open', '/nowhere', '/v1/pots/ab']) {
      const { headers } = await call(path)
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
      expect(headers.get('cache-control')).toBe('no-store')
      expect(headers.get('x-request-id')).toMatch(/^req_/)
      expect(headers.get('x-powered-by')).toBeNull()
    }
  })

  test('takes the admin token from the header, and from the query with a Deprecation header', async () => {
    expect((await call('/admin/x', { headers: { authorization: 'Bearer the-admin-token' } })).status).toBe(200)
    const response = await call('/admin/x?admin_token=the-admin-token')
    expect([response.status, response.headers.get('deprecation')]).toEqual([200, '@1735689600'])
    expect((await call('/admin/x?admin_token=wrong')).status).toBe(401)
    expect(lines).not.toContain('the-admin-token')
  })

  test.each([[null], [''], ['CHANGE_ME_ADMIN_TOKEN']])('has no admin routes while the token is %j', (token) => {
    const check = createAdminCheck(token)
    for (const presented of [null, '', 'CHANGE_ME_ADMIN_TOKEN', 'x']) expect(() => check(presented)).toThrow('T4_ADMIN_TOKEN')
  })

  test('logs one line a request, with the template and without path, query or key', async () => {
    lines = ''
    await call('/v1/pots/private-name?cups=3&token=hush', {
      method: 'POST',
      body: '{}',
      headers: { authorization: 'Bearer wrong', 'x-request-id': 'mine-1' },
    })
    await new Promise((resolve) => setTimeout(resolve, 20))
    const [line, ...more] = lines
      .trim()
      .split('\n')
      .map((text) => JSON.parse(text))
    expect(more).toEqual([])
    expect(line).toMatchObject({
      code: 'http.request',
      request_id: 'mine-1',
      route: '/v1/pots/{id}',
      status: 401,
      error_code: 'invalid_key',
    })
    expect(lines).not.toMatch(/private-name|hush|wrong/)
  })

  test('describes every operation in OpenAPI 3.1', () => {
    const document = toOpenApi([pour, open], { title: 't', version: '1', serverUrl: 'http://x', description: '' })
    expect(document).toMatchObject({
      openapi: '3.1.0',
      paths: {
        '/v1/pots/{id}': { post: { operationId: 'pour', responses: { '201': {}, '200': {}, '400': {}, '401': {}, '418': {} } } },
      },
    })
  })
})

describe('what is refused before it reaches a route', () => {
  test('is answered as all other errors are: an address that is too long', async () => {
    const response = await call(`/open?x=${'y'.repeat(20_000)}`)
    expect([response.status, response.headers.get('content-type')]).toEqual([431, 'application/problem+json'])
    expect(await response.json()).toMatchObject({ status: 431, code: 'headers_too_large' })
  })

  test('and so is what is no HTTP at all', async () => {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1', () => socket.write('\u0016\u0003 what\r\n\r\n'))
    const answer = Buffer.concat(await socket.toArray()).toString()
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/)
    expect(JSON.parse(answer.split('\r\n\r\n')[1]!)).toMatchObject({ status: 400, code: 'malformed_request' })
  })
})
