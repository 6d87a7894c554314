import { describe, expect, test } from '@jest/globals'
import { decodeTraces } from '../../otlp/decode-traces.ts'
import { attribute, fixed64, join, len, requestOf, spanIds } from '../../otlp/fixtures/wire-fields.ts'
import type { OtlpValue, SpanInContext } from '../../otlp/model.ts'
import { redactTraces } from './redact-traces.ts'

import { FRAMED, LETTERS, SECRETS, stars } from './secrets.fixture.ts'

function redacted(...fields: Uint8Array[]): { count: number; span: SpanInContext['span'] } {
  const body = requestOf(join(spanIds(), ...fields))
  const count = redactTraces(body)
  return { count, span: [...decodeTraces(body)][0]!.span }
}

function redactedText(text: string): string {
  return redacted(len(5, text)).span.name
}

describe('shapes of secrets', () => {
  test.each(SECRETS)('%s%s', (keep, secret) => {
    expect(redactedText(`${keep}${secret}`)).toBe(`${keep}${stars(secret)}`)
    expect(redactedText(`error: "${keep}${secret}" (401)`)).toBe(`error: "${keep}${stars(secret)}" (401)`)
    expect(redactedText(`ü ${keep}${secret} ü ${keep}${secret}`)).toBe(`ü ${keep}${stars(secret)} ü ${keep}${stars(secret)}`)
  })

  test.each(FRAMED)('%s%j%s', (before, secret, after) => {
    expect(redactedText(`${before}${secret}${after}`)).toBe(`${before}${stars(secret)}${after}`)
  })

  test.each([
    ['sk-', 'a-B_9'],
    ['ghp_', 'aB9'],
    ['npm_', 'aB9'],
    ['Bearer ', 'aB9.'],
    ['AIza', 'aB9_'],
    ['eyJhbGciOiJIUzI1NiJ9', '.eyJ'],
  ])('%s… of a million characters is overwritten to its end', (before, piece) => {
    const name = redactedText(`in ${before}${piece.repeat(1_000_000 / piece.length)}a end`)
    expect([name.slice(0, 3), name.slice(-4), /[*]{999000}/.test(name), /[aB]{2}/.test(name.slice(20, -4))]).toEqual([
      'in ',
      ' end',
      true,
      false,
    ])
  })

  test.each([
    'task-scheduler-1234567890',
    'sk-SK',
    'risk-assessment-2024-final',
    'sk-circle',
    'npm_config_registry',
    'npm_lifecycle_event',
    'high throughput',
    'rpc.grpc.status_code',
    'https://example.com/@scope/package',
    'user@example.com',
    'http://host:8080/path',
    'mailto:a@b.c',
    'Bearer token missing',
    'invalid Bearer authentication header',
    'Bearer realm="x", error="invalid_token"',
    'Basic usage',
    'a Basic Standard tier',
    'eyJust a text',
    '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----',
    'AKIA',
    'xox',
    'lk_ingest_',
  ])('%j is no secret', (text) => {
    expect(redacted(len(5, text))).toMatchObject({ count: 0, span: { name: text } })
  })

  test('a value is counted once, however many secrets it holds, and a second pass finds nothing', () => {
    const body = requestOf(
      join(spanIds(), attribute(9, 'a', len(1, `ghp_${LETTERS} npm_${LETTERS}`)), attribute(9, 'password', len(1, 'x'))),
    )
    expect(redactTraces(body)).toBe(2)
    expect(redactTraces(body)).toBe(0)
  })
})

describe('members that name secrets, in a text that holds JSON', () => {
  test.each([
    ['{"password":"', 'hunter2', '"}'],
    ['{"user":"me","db_password" : "', 'hünter2', '","port":5432}'],
    ['{"X-Api-Key":["', 'abc', '"]}'],
    ["{'api_key': '", 'abc', "', 'n': 1}"],
    ['{"body":"{\\"token\\":\\"', 'a b\\\\\\"c', '\\"}"}'],
    ['{"secret":"', 'a\\"b\\\\', '"}'],
    ['{"Authorization":"', 'Bearer x', '"}'],
    ['{"cookie":"', 'cut off', ''],
    ['{"token":"', 'abc', '","expires_in":3600}'],
    ['{"access_token":"', 'abc', '","logprob":-1}'],
    ['{"usage":{"logprob":-1},"token":"', 'abc', '"}'],
    ['{"token":"', 'abc', '","usage":{"logprob":-1}}'],
  ])('%s%s%s', (before, secret, after) => {
    expect(redactedText(`${before}${secret}${after}`)).toBe(`${before}${stars(secret)}${after}`)
  })

  test.each([
    '{"max_tokens":"12"}',
    '{"token":12,"secret":null,"password":{"type":"string"}}',
    '{"passwords":"no","tokenizer":"cl100k"}',
    'the "password" is wrong',
    '"token"',
    '{"password":""}',
    // What a model answers with the probabilities of its words.
    '{"logprobs":{"content":[{"token":"Hel","bytes":[72,101],"logprob":-0.1,"top_logprobs":[{"token":"Hi","logprob":-2}]}]}}',
    '{"content":[{"logprob":-0.5,"token":"{\\"a"},{"token" : "}","top_logprobs":[],"logprob":-1}]}',
    '{"body":"{\\"token\\":\\"Hel\\",\\"logprob\\":-0.1}"}',
    "{'token': 'Hel', 'log_prob': -0.1}",
  ])('%j holds none', (text) => {
    expect(redacted(len(5, text))).toMatchObject({ count: 0, span: { name: text } })
  })
})

describe('keys that name secrets', () => {
  const overwritten = (key: string) => redacted(attribute(9, key, len(1, 'héllo'))).span.attributes.get(key) === '******'

  test.each([
    'authorization',
    'Authorization',
    'http.request.header.authorization',
    'proxy-authorization',
    'HTTP_COOKIE',
    'set-cookie',
    'http.response.header.set_cookie',
    'password',
    'db.password',
    'DB-PASSWD',
    'client_secret',
    'token',
    'session.token',
    'api_key',
    'api-key',
    'API.KEY',
    'apikey',
    'openai.apiKey',
    'x-api-key',
    'X-API-Key',
    'x_api_key',
  ])('%s', (key) => {
    expect(overwritten(key)).toBe(true)
  })

  test.each([
    'gen_ai.usage.input_tokens',
    'max_tokens',
    'llm.token_count.total',
    'tokenizer',
    'password.length',
    'secretary',
    'apikeys',
    'mypassword',
    'key',
    'ey',
    '',
    'authorization.type',
    'cookies',
  ])('%j names none', (key) => {
    expect(overwritten(key)).toBe(false)
  })

  test('every text and bytes below such a key is overwritten, keys and numbers stay', () => {
    const list = len(5, len(1, len(1, 'one')), len(1, int(7)))
    const map = len(6, attribute(1, 'name', len(1, 'two')), attribute(1, 'inner', list), attribute(1, 'raw', len(7, 'abc')))
    expect(redacted(attribute(9, 'x.secret', map)).span.attributes.get('x.secret')).toEqual(
      new Map<string, OtlpValue>([
        ['name', '***'],
        ['inner', ['***', 7]],
        ['raw', new Uint8Array(Buffer.from('***'))],
      ]),
    )
  })

  test('such a key deep in a kvlist or behind its value', () => {
    const inner = len(6, len(1, len(2, len(1, 'hidden')), len(1, 'Token')), attribute(1, 'other', len(1, 'seen')))
    const { count, span } = redacted(attribute(9, 'headers', len(5, len(1, inner))))
    expect([count, span.attributes.get('headers')]).toEqual([
      1,
      [
        new Map([
          ['Token', '******'],
          ['other', 'seen'],
        ]),
      ],
    ])
  })

  test('a value of such a key in two pieces', () => {
    const { span } = redacted(
      len(9, len(2, len(5, len(1, len(1, 'a')))), len(1, 'password'), len(2, len(5, len(1, len(1, 'b'))))),
    )
    expect(span.attributes.get('password')).toEqual(['*', '*'])
  })
})

describe('places where a search over the bytes alone would go wrong', () => {
  test('a secret that ends where the next field begins does not run on into it', () => {
    const text = `ghp_${LETTERS}`
    const { span } = redacted(len(5, text), fixed64(7, 0x4141414141414141n), attribute(9, 'AAAA', len(1, 'AAAA')))
    expect([span.name, span.startUnixNano]).toEqual([`ghp_${stars(LETTERS)}`, 0x4141414141414141n])
    expect(span.attributes).toEqual(new Map([['AAAA', 'AAAA']]))
  })

  test('a secret in a key stays: a key is never changed', () => {
    const key = `ghp_${LETTERS}`
    expect(redacted(attribute(9, key, len(1, 'v')))).toMatchObject({ count: 0, span: { attributes: new Map([[key, 'v']]) } })
  })

  test('a body at any place in memory, the secret at any place in it', () => {
    for (let shift = 0; shift < 8; shift++)
      for (let pad = 0; pad < 4; pad++) {
        const body = requestOf(join(spanIds(), len(5, `${' '.repeat(pad)}npm_${LETTERS}`), len(15, len(2, 'redis://:pw@h'))))
        const memory = new Uint8Array(body.length + 16)
        memory.set(body, shift)
        const view = memory.subarray(shift, shift + body.length)
        expect(redactTraces(view)).toBe(2)
        const [found] = decodeTraces(view)
        expect([found!.span.name.trim(), found!.span.status.message]).toEqual([`npm_${stars(LETTERS)}`, 'redis://:**@h'])
      }
  })

  test('secrets where senders of before 2022 put their scopes, and in bytes', () => {
    const span = join(spanIds(), attribute(9, 'raw', len(7, `glpat-${LETTERS}`)))
    const body = len(1, len(1000, len(2, span)))
    expect(redactTraces(body)).toBe(1)
    expect([...decodeTraces(body)][0]!.span.attributes.get('raw')).toEqual(new Uint8Array(Buffer.from(`glpat-${stars(LETTERS)}`)))
  })

  test('more secrets than can be told one by one are all overwritten', () => {
    const one = len(2, spanIds(), len(5, `ghp_${LETTERS}`))
    const body = len(1, len(2, new Uint8Array(Buffer.alloc(one.length * 66_000, one))))
    expect(redactTraces(body)).toBe(66_000)
    expect(Buffer.from(body).includes(LETTERS)).toBe(false)
  })

  test('hostile repetitions take no longer than their length', () => {
    for (const piece of [
      'eyJ',
      'sk-',
      'a@',
      '://a:',
      '-----BEGIN PRIVATE KEY-----',
      'Bearer ',
      'bGci',
      'ghp_',
      '"token":"',
      "password':",
    ]) {
      const body = requestOf(join(spanIds(), len(5, piece.repeat(100_000))))
      expect(() => redactTraces(body)).not.toThrow()
    }
  }, 10_000)
})

function int(value: number): Uint8Array {
  return Uint8Array.of(0x18, value)
}
