import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { OtlpDecodeError } from '../../otlp/decode-error.ts'
import { decodeTraces } from '../../otlp/decode-traces.ts'
import { encodeTraces } from '../../otlp/encode-traces.ts'
import { arbitrarilyDamaged, arbitraryRequest, arbitraryValue } from '../../otlp/fixtures/arbitrary-spans.ts'
import { attribute, fixed64, join, len, requestOf, spanIds } from '../../otlp/fixtures/wire-fields.ts'
import type { OtlpAttributes, OtlpResource, OtlpScope, OtlpValue, SpanInContext } from '../../otlp/model.ts'
import { redactTraces } from './redact-traces.ts'

const LETTERS = 'a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8'

/** What stays to be seen of a secret, and what is overwritten. */
const SECRETS: [string, string][] = [
  ['sk-', LETTERS],
  ['sk-', `proj-${LETTERS}_-x`],
  ['sk-ant-', `api03-${LETTERS}`],
  ...['ghp_', 'gho_', 'ghu_', 'ghs_', 'github_pat_', 'glpat-', 'npm_', 'xoxb-', 'xoxp-'].map((keep): [string, string] => [
    keep,
    LETTERS,
  ]),
  ['AKIA', 'IOSFODNN7EXAMPLE'],
  ['AIza', `Sy${LETTERS}`],
  ['lk_ingest_', LETTERS],
  ['lk_agent_', LETTERS],
  ['', 'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U'],
  ['', 'eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2ln'],
  ['', 'eyJraWQiOiJhIiwiYWxnIjoiRVMyNTYifQ.eyJzdWIiOiIxMjM0In0.c2ln'],
  ['', 'eyAiYWxnIjogIkhTMjU2IiB9.eyJzdWIiOiIxMjM0In0.c2ln'],
  ['', 'ewogICJ0eXAiOiAiSldUIiwKICAiYWxnIjogIkhTMjU2Igp9.eyJzdWIiOiIxMjM0In0.c2ln'],
  ['Bearer ', 'mF_9.B5f-4.1JqM'],
  ['Bearer ', 'gn0Ms2'],
  ['bearer ', LETTERS],
  ['Basic ', 'QWxhZGRpbjpvcGVuIHNlc2FtZQ=='],
]

/** Secrets whose neighbourhood is part of their shape. */
const FRAMED: [string, string, string][] = [
  ['postgres://app:', 'hunter2', '@db.internal/shop'],
  ['see https://user:', 'p@ss:w%2Frd', '@host:8443/x?y=1 now'],
  ['redis://:', 'pässwörd', '@h'],
  ['Authorization: Bearer ', 'short', ', next'],
  ['{"h": "Bearer ', 'quoted', '"}'],
  ['-----BEGIN RSA PRIVATE KEY-----', '\nMIIEow\nIBAAKCAQEA\n', '-----END RSA PRIVATE KEY-----'],
  ['-----BEGIN PRIVATE KEY-----', '\\nMIIEvQ', ''],
]

const stars = (text: string) => '*'.repeat(Buffer.byteLength(text))

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

function int(value: number): Uint8Array {
  return Uint8Array.of(0x18, value)
}

/** The same spans with every text that may hold a secret mapped, in a fixed order; shared objects stay shared. */
function mapTexts(spans: readonly SpanInContext[], map: (text: string) => string): SpanInContext[] {
  const resources = new Map<OtlpResource, OtlpResource>()
  const scopes = new Map<OtlpScope, OtlpScope>()
  const mapValue = (value: OtlpValue): OtlpValue => {
    if (typeof value === 'string') return map(value)
    if (Array.isArray(value)) return value.map(mapValue)
    return value instanceof Map ? mapAttributes(value) : value
  }
  const mapAttributes = (attributes: OtlpAttributes): OtlpAttributes =>
    new Map([...attributes].map(([key, value]) => [key, mapValue(value)]))
  const withAttributes = <T extends { attributes: OtlpAttributes }>(one: T): T => ({
    ...one,
    attributes: mapAttributes(one.attributes),
  })
  return spans.map(({ resource, scope, span }) => {
    if (!resources.has(resource)) resources.set(resource, { ...withAttributes(resource), schemaUrl: map(resource.schemaUrl) })
    if (!scopes.has(scope)) {
      const { name, version, schemaUrl } = scope
      scopes.set(scope, { ...withAttributes(scope), name: map(name), version: map(version), schemaUrl: map(schemaUrl) })
    }
    return {
      resource: resources.get(resource)!,
      scope: scopes.get(scope)!,
      span: {
        ...withAttributes(span),
        name: map(span.name),
        traceState: map(span.traceState),
        status: { ...span.status, message: map(span.status.message) },
        events: span.events.map((event) => ({ ...withAttributes(event), name: map(event.name) })),
        links: span.links.map((link) => ({ ...withAttributes(link), traceState: map(link.traceState) })),
      },
    }
  })
}

describe('in any request', () => {
  const secret = fc.oneof(
    fc.constantFrom(...SECRETS).map(([keep, core]): [string, string, string] => [keep, core, '']),
    fc.constantFrom(...FRAMED.filter(([, , after]) => after !== '')),
  )

  test('a secret in any text is overwritten and everything else stays as it was', () => {
    const around = fc.constantFrom('', ' ', 'ü ', '("')
    fc.assert(
      fc.property(
        arbitraryRequest,
        fc.nat(),
        secret,
        around,
        fc.constantFrom('', ' ', '"', ' ü'),
        (spans, which, [keep, core, end], before, after) => {
          // A text that is nothing but a bearer credential is overwritten to its end, a quote behind it too.
          fc.pre(!(before === '' && after === '"' && /^bearer /i.test(keep)))
          let texts = 0
          mapTexts(spans, (text) => {
            texts++
            return text
          })
          const plant = (planted: string) => {
            let at = 0
            return mapTexts(spans, (text) => (at++ === which % Math.max(1, texts) ? planted : text))
          }
          const body = encodeTraces(plant(`${before}${keep}${core}${end}${after}`))
          expect(redactTraces(body)).toBe(texts > 0 ? 1 : 0)
          expect([...decodeTraces(body)]).toEqual(plant(`${before}${keep}${stars(core)}${end}${after}`))
        },
      ),
      { numRuns: 300 },
    )
  })

  test('a request without secrets is not touched', () => {
    fc.assert(
      fc.property(arbitraryRequest, (spans) => {
        const body = encodeTraces(spans)
        expect(redactTraces(body)).toBe(0)
        expect(Buffer.compare(body, encodeTraces(spans))).toBe(0)
      }),
    )
  })

  test('whatever stands under the name of a secret keeps its shape and length', () => {
    const hide = (value: OtlpValue): OtlpValue => {
      if (typeof value === 'string') return stars(value)
      if (value instanceof Uint8Array) return new Uint8Array(value.length).fill(0x2a)
      if (Array.isArray(value)) return value.map(hide)
      return value instanceof Map ? new Map([...value].map(([key, inner]) => [key, hide(inner)])) : value
    }
    fc.assert(
      fc.property(arbitraryRequest, arbitraryValue, (spans, value) => {
        const withSecret = (hidden: OtlpValue) =>
          spans.map(({ resource, scope, span }) => ({
            resource,
            scope,
            span: { ...span, attributes: new Map([...span.attributes, ['db.password', hidden]]) },
          }))
        const body = encodeTraces(withSecret(value))
        redactTraces(body)
        expect([...decodeTraces(body)]).toEqual(withSecret(hide(value)))
      }),
    )
  })

  test('damaged bytes are redacted or an OtlpDecodeError', () => {
    fc.assert(
      fc.property(arbitrarilyDamaged(arbitraryRequest.map(encodeTraces)), (body) => {
        try {
          redactTraces(body)
        } catch (error) {
          expect(error).toBeInstanceOf(OtlpDecodeError)
        }
      }),
    )
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
