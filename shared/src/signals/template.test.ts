import { describe, expect, test } from '@jest/globals'
import { fastestMs, isLinear } from './cost.fixture.ts'
import { TEMPLATE_INPUT_MAX_CHARS, templateOf } from './template.ts'
import { ERROR_GROUPS } from './template-errors.fixture.ts'
import { LOG_GROUPS } from './template-logs.fixture.ts'
import { VALUE_KINDS } from './value-kinds.ts'

const same: [what: string, a: string, b: string][] = [
  ['letters that were drawn', 'no call_mtdJXllvUJgPhcLnBGHlLBtN', 'no call_yIvo6LG8CVW4a2JZczbuY33w'],
  ['months in full', 'due October 21, 2024', 'due 3 March 2025'],
  ['e-mails', 'no account for ann@example.com', 'no account for bob.b@mail.example.org'],
  ['URLs', 'GET https://a.example/x?q=1 failed', 'GET http://10.0.0.1:80/y failed'],
  ['UUIDs', 'job 8d2f3a52-1c55-4ff0-9a52-0f6a1b6a4a11 lost', 'job 11111111-2222-3333-4444-555555555555 lost'],
  [
    'traceparents',
    'bad 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    'bad 00-11f92f3577b34da6a3ce929d0e0e4736-11f067aa0ba902b7-00',
  ],
  ['times', 'late since 2026-01-02T03:04:05.123Z', 'late since Mon, 02 Feb 2026 03:04:05 GMT'],
  ['paths', 'cannot open /var/lib/a.db', 'cannot open C:\\data\\b.db'],
  ['files', "Could not convert 'report one.pdf' to text", "Could not convert 'words.txt' to text"],
  ['hosts', 'lookup db-1.prod.internal failed', 'lookup api.example.com failed'],
  ['addresses', 'refused by 10.1.2.3:80', 'refused by 2001:db8:0:0:0:0:2:1'],
  ['quantities', 'took 12.5ms', 'took 3 s'],
  ['ids', 'order ord_123abc missing', 'order 01HZX3 missing'],
  ['values of keys', 'bad input user="ann" rejected', 'bad input user="bob" rejected'],
  ['plain values of keys', 'no row for user=ann', 'no row for user=bob'],
  [
    'quoted text after a colon',
    "No results found for query: 'a b'. Use a less specific query.",
    "No results found for query: 'Ben & Jerry's \"best\"'. Use a less specific query.",
  ],
  ['people', 'user alice not found', 'user bob not found'],
  ['code excerpts', "failed at line 'x = f(1)' due to: E", "failed at line 'y = g(\n2)' due to: E"],
  ['listings after the third line', 'a:\nb\nc\nfirst', 'a:\nb\nc\nsecond'],
  ['stacks inside the message', 'boom\n    at f (/a.js:1:2)\n    at g (/a.js:3:4)', 'boom\n    at h (/b.js:1:2)'],
]

const different: [what: string, a: string, b: string][] = [
  ['names of many words', 'XMLHttpRequestUploadProgressEvent failed', 'NSURLErrorDomainCFNetworkHTTPError failed'],
  [
    'identifiers after "argument"',
    "f() got an unexpected keyword argument 'page_down'",
    "f() got an unexpected keyword argument 'arguments'",
  ],
  ['an empty identifier', "f() got an unexpected keyword argument ''", "f() got an unexpected keyword argument 'arguments'"],
  ['columns', 'column "email" does not exist', 'column "tenant" does not exist'],
  ['HTTP statuses that are named so', 'upstream returned 404', 'upstream returned 503'],
  ['reasons', 'finish_reason=length', 'finish_reason=content_filter'],
  ['error types inside JSON', '{"type":"rate_limit_error","message":"x"}', '{"type":"overloaded_error","message":"x"}'],
  ['messages inside JSON', '{"error":{"message":"prompt was flagged"}}', '{"error":{"message":"model is gone"}}'],
  ['what follows an error name', "TypeError: 'NoneType' object is not iterable", "TypeError: 'int' object is not iterable"],
  ['codes of a system call', 'write failed, errno 13', 'write failed, errno 28'],
  ['codes of a database', 'SQLSTATE 42P01 in query', 'SQLSTATE[42703] in query'],
  ['codes of Oracle', 'ORA-00942: refused', 'ORA-01017: refused'],
  ['how a process ended', 'exited with code 1', 'exited with code 137'],
  ['what killed a process', 'killed by signal 9', 'killed by signal 15'],
  ['models', 'claude-3-5-sonnet is gone', 'claude-3-opus is gone'],
  ['models of other makers', 'llama-3.1 is gone', 'mistral-7b is gone'],
  ['protocols', 'TLS 1.0 not supported', 'HTTP/2 not supported'],
  ['codecs', 'invalid utf-8 sequence', 'invalid utf-16 sequence'],
  ['dotted names of code', 'org.acme.Billing failed', 'org.acme.Shipping failed'],
  ['names before a value', 'onStart:1514038530000', 'onExtend:1514038530000'],
]

describe('one template whatever varies', () => {
  test.each(same)('%s', (_what, a, b) => {
    expect(templateOf(a)).toBe(templateOf(b))
  })
})

describe('two templates where the meaning differs', () => {
  test.each(different)('%s', (_what, a, b) => {
    expect(templateOf(a)).not.toBe(templateOf(b))
  })
})

describe.each(Object.entries({ ...LOG_GROUPS, ...ERROR_GROUPS }))('messages of %s', (_family, groups) => {
  test.each(groups)('that tell one event have one template: %s', (...lines) => {
    expect([...new Set(lines.map(templateOf))]).toHaveLength(1)
  })

  test('that tell other events have other templates', () => {
    expect(new Set(groups.map(([line]) => templateOf(line!))).size).toBe(groups.length)
  })
})

test('the name before a value stays readable', () => {
  expect(templateOf('logname= uid=0 rhost=1.2.3.4 took <ms:17>')).toBe('logname= uid=* rhost=* took <ms:*')
})

test('runs of values collapse, and no more than 160 tokens stay', () => {
  expect(templateOf('ids 1 2 3 of 4, 5 ()')).toBe('ids * of *')
  expect(templateOf('word '.repeat(500)).split(' ')).toHaveLength(160)
})

test('what lies beyond the bound does not change the template', () => {
  const text = 'word '.repeat(TEMPLATE_INPUT_MAX_CHARS / 5)
  expect(templateOf(`${text}tail`)).toBe(templateOf(text))
})

const attacks = [
  'a',
  'a ',
  '1',
  '1.',
  ' ',
  '-',
  'a-',
  'a.',
  'a@',
  '"',
  ": '",
  "' '",
  'a/',
  '/a',
  '0x',
  '1f',
  '1:',
  "='",
  'user a ',
  'Jan 1 ',
  '(',
  '\n',
  'reason: ',
  'http://',
  'a.com',
  `${'a'.repeat(63)}.`,
  `'b `,
  '`a ',
  'a.b:',
  'parsing "',
  'a=true ',
  'aa:bb:',
  'arn:',
  '"GET /',
  '1/1/2026 ',
  'abcdefab',
  'gpt-',
  'errno ',
  'aBcDeFgH',
  'AbABcd',
]

test.each(attacks)('costs time linear in %j, and little for a megabyte', (seed) => {
  const half = seed.repeat(Math.floor(TEMPLATE_INPUT_MAX_CHARS / 2 / seed.length))
  const isTwice = isLinear(
    () => templateOf(half),
    () => templateOf(half + half),
  )
  expect(isTwice).toBe(true)
  expect(fastestMs(() => templateOf(seed.repeat(Math.floor(1_000_000 / seed.length))))).toBeLessThan(100)
})

test('no kind of value switches how letters compare: V8 may then forget it for all', () => {
  for (const [, pattern] of VALUE_KINDS) expect(pattern).not.toMatch(/\(\?[ims]*-?[ims]*:(?<!\(\?:)/)
})
