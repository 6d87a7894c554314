import { describe, expect, test } from '@jest/globals'
import { parseContentEncoding } from './content-encoding.ts'
import { parseContentType } from './content-type.ts'
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
