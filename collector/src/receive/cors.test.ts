import { expect, test } from '@jest/globals'
import { type CorsSettings, createCorsPolicy } from './cors.ts'

const policy = (given: Partial<CorsSettings>) =>
  createCorsPolicy({ corsOrigins: '', corsHeaders: '', corsCredentials: false, corsMaxAgeS: 600, ...given })

test.each([
  ['', 'https://app.example', false],
  ['https://app.example', 'https://app.example', true],
  ['https://app.example', 'https://APP.example', true],
  ['https://app.example', 'http://app.example', false],
  ['https://app.example', 'https://app.example.evil', false],
  ['https://appXexample', 'https://app.example', false],
  ['https://a.example, https://*.b.example', 'https://x.y.b.example', true],
  ['https://*.b.example', 'https://b.example', false],
  ['https://*.b.example', 'https://evil/.b.example', false],
  ['http://localhost:*', 'http://localhost:5173', true],
  ['*', 'https://anything.example', true],
  ['*', 'null', true],
])('origins %j: %s is allowed: %p', (corsOrigins, origin, allowed) => {
  const cors = policy({ corsOrigins })
  expect(cors.headersFor(origin)['access-control-allow-origin']).toBe(allowed ? origin : undefined)
  expect(cors.preflight(origin, undefined) !== null).toBe(allowed)
})

test.each([
  ['', 'Content-Type, X-Team', 'Content-Type, X-Team'],
  ['', 'content-type, x\r\nset-cookie: y', 'content-type, content-encoding, authorization'],
  ['', undefined, 'content-type, content-encoding, authorization'],
  ['', 'x'.repeat(2000), 'content-type, content-encoding, authorization'],
  ['x-team', 'content-type,authorization,x-team,x-other', 'content-type, authorization, x-team'],
  ['X-Acme-*', 'content-type,x-acme-one,x-other', 'content-type, x-acme-one'],
])('headers %j: a browser that asks for %j may send %j', (corsHeaders, asked, allowed) => {
  const answer = policy({ corsOrigins: '*', corsHeaders }).preflight('https://a.example', asked)
  expect(answer?.['access-control-allow-headers']).toBe(allowed)
})

test('credentials and the age of a preflight are as they were set, and an exporter may read when to come again', () => {
  const cors = policy({ corsOrigins: 'https://a.example', corsCredentials: true, corsMaxAgeS: 7200 })
  expect(cors.preflight('https://a.example', 'content-type')).toMatchObject({
    'access-control-allow-credentials': 'true',
    'access-control-max-age': '7200',
    'access-control-allow-methods': 'POST',
  })
  expect(cors.headersFor('https://a.example')).toEqual({
    'access-control-allow-origin': 'https://a.example',
    'access-control-allow-credentials': 'true',
    'access-control-expose-headers': 'retry-after',
    vary: 'Origin',
  })
  expect(policy({ corsOrigins: '*' }).headersFor('https://a.example')['access-control-allow-credentials']).toBeUndefined()
})
