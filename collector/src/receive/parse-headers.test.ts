import { describe, expect, test } from '@jest/globals'
import { parseContentEncoding } from './content-encoding.ts'
import { parseContentType } from './content-type.ts'
import { createCorsPolicy } from './cors.ts'
import { readCredentials } from './credentials.ts'

describe('content type', () => {
  test.each([
    ['application/json', 'json'],
    ['APPLICATION/JSON', 'json'],
    ['application/json; charset=utf-8', 'json'],
    ['application/json;charset="UTF-8"', 'json'],
    ['application/x-protobuf', 'protobuf'],
    ['application/x-protobuf; messageType=x', 'protobuf'],
    ['application/json; charset=latin1', null],
    ['text/plain', null],
    ['', null],
    [undefined, null],
  ])('%s is %s', (header, expected) => {
    expect(parseContentType(header)).toBe(expected)
  })
})

describe('content encoding', () => {
  test.each([
    [undefined, 'identity'],
    ['', 'identity'],
    ['identity', 'identity'],
    ['GZIP', 'gzip'],
    ['deflate', 'deflate'],
    ['zstd', 'zstd'],
    ['gzip, gzip', null],
    ['br', null],
    ['snappy', null],
  ])('%s is %s', (header, expected) => {
    expect(parseContentEncoding(header)).toBe(expected)
  })
})

describe('credentials', () => {
  test.each([
    ['none', [], { kind: 'none' }],
    ['a key', ['Authorization', 'Bearer lk_ingest_x'], { kind: 'key', key: 'lk_ingest_x' }],
    ['a scheme in lower case', ['authorization', 'bearer k'], { kind: 'key', key: 'k' }],
    ['another scheme', ['Authorization', 'Basic eHg6eXk='], { kind: 'wrong' }],
    ['two spaces', ['Authorization', 'Bearer  k'], { kind: 'wrong' }],
    ['nothing after the scheme', ['Authorization', 'Bearer'], { kind: 'wrong' }],
    ['a key that is too long', ['Authorization', `Bearer ${'k'.repeat(300)}`], { kind: 'wrong' }],
    ['two headers', ['Authorization', 'Bearer a', 'AUTHORIZATION', 'Bearer b'], { kind: 'ambiguous' }],
  ])('%s', (_, rawHeaders, expected) => {
    expect(readCredentials(rawHeaders)).toEqual(expected)
  })
})

describe('CORS', () => {
  test('no origin is allowed unless the setting names it', () => {
    const policy = createCorsPolicy('')
    expect(policy.headersFor('https://a.example')).toEqual({})
    expect(policy.preflight('https://a.example', undefined)).toBeNull()
  })

  test('an origin that ends like an allowed one is not allowed', () => {
    const policy = createCorsPolicy('https://good.example')
    expect(policy.headersFor('https://good.example.evil')).toEqual({})
    expect(policy.headersFor('https://good.example')).toEqual({
      'access-control-allow-origin': 'https://good.example',
      vary: 'Origin',
    })
  })

  test('a preflight is given the headers it asked for, unless they are no header names', () => {
    const policy = createCorsPolicy('*')
    expect(policy.preflight('https://a', 'content-type, x-tenant')).toMatchObject({
      'access-control-allow-headers': 'content-type, x-tenant',
    })
    expect(policy.preflight('https://a', 'a\r\nset-cookie: x')?.['access-control-allow-headers']).toContain('authorization')
  })
})
