import { constants, crc32, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { expect } from '@jest/globals'
import { encodeTraceRequest } from '../harness/otlp-protobuf.ts'
import { readHttpAnswer } from './answers.ts'
import { both, oneSpan } from './bodies.ts'
import { head, statusOf, talk } from './raw-http.ts'
import type { Row, RuleId } from './rule-ids.ts'
import type { Stage } from './stage.ts'

const JSON_TYPE = 'application/json'
const PROTOBUF = 'application/x-protobuf'
const BODY_MAX_BYTES = 64 * 1024 ** 2
const EMPTY_REQUEST = { json: '{}', protobuf: new Uint8Array(0) }

type Headers = Record<string, string>

/** A request that is answered by its headers and its framing alone; over HTTP in the encoding named. */
interface Exchange {
  ids: RuleId[]
  name: string
  side?: string
  body: string | Uint8Array
  headers?: Headers
  /** Of the answer; by default that of the request's Content-Type. */
  encoding?: 'json' | 'protobuf'
  status: number
  /** The word that the refusal's message begins with. */
  code?: string
  /** Headers that the answer must have. */
  answers?: Record<string, RegExp>
}

const exchanges: Exchange[] = [
  { ids: ['A11', 'O1'], name: 'no byte of protobuf is an empty request', body: EMPTY_REQUEST.protobuf, status: 200 },
  { ids: ['A11', 'O2'], name: 'an empty object is an empty request', body: '{}', status: 200 },
  { ids: ['A11', 'O2'], name: 'an empty list is an empty request', body: '{"resourceSpans":[]}', status: 200 },
  {
    ids: ['A11'],
    name: 'no byte of JSON is no JSON',
    side: 'as the Collector; the specification speaks of empty messages, which JSON writes as {}',
    body: '',
    headers: { 'content-type': JSON_TYPE },
    status: 400,
    code: 'malformed_json',
  },
  ...[
    'application/json; charset=utf-8',
    'APPLICATION/JSON',
    'application/json;charset="UTF-8"',
    'Application/Json ; charset=utf8 ; x=y',
  ].map(
    (type): Exchange => ({
      ids: ['A3', 'A5', 'O27', 'P1'],
      name: `${type} is JSON, and the answer says exactly application/json`,
      body: '{}',
      headers: { 'content-type': type },
      status: 200,
    }),
  ),
  ...['application/x-protobuf; proto=x', 'APPLICATION/X-PROTOBUF', 'application/protobuf'].map(
    (type): Exchange => ({
      ids: ['A3', 'A5', 'P1'],
      name: `${type} is protobuf, and the answer says exactly application/x-protobuf`,
      body: EMPTY_REQUEST.protobuf,
      headers: { 'content-type': type },
      status: 200,
    }),
  ),
  ...[
    'text/plain',
    'application/json; charset=latin1',
    'application/octet-stream',
    'application/grpc',
    'application/jsonp',
    'json',
  ].map(
    (type): Exchange => ({
      ids: ['A4', 'A14', 'O27'],
      name: `${type} is a 415 with a Status`,
      side: 'the Collector answers plain text; the specification wants a Status on every 4xx',
      body: '{}',
      headers: { 'content-type': type },
      encoding: 'json',
      status: 415,
      code: 'media_type_unsupported',
    }),
  ),
  {
    ids: ['O26', 'X13'],
    name: 'JSON that is called protobuf is a 400',
    body: '{"resourceSpans":[]}',
    headers: { 'content-type': PROTOBUF },
    status: 400,
    code: 'malformed_protobuf',
  },
  {
    ids: ['O26'],
    name: 'protobuf that is called JSON is a 400',
    body: encodeTraceRequest(both({})('ab'.repeat(16))),
    headers: { 'content-type': JSON_TYPE },
    status: 400,
    code: 'malformed_json',
  },
  ...['br', 'snappy', 'x-snappy-framed', 'lz4', 'compress', 'gzip, gzip', 'gzip,deflate', 'unknown'].map(
    (encoding): Exchange => ({
      ids: encoding.includes(',') ? ['A7', 'O31'] : ['A7', 'O34'],
      name: `Content-Encoding: ${encoding} is a 415 that says what is taken`,
      side: 'contract §3; the Collector takes snappy and lz4 and answers 400 to what it does not know. Neither is retried',
      body: '{}',
      headers: { 'content-encoding': encoding },
      status: 415,
      code: 'encoding_unsupported',
      answers: { 'accept-encoding': /gzip.*deflate.*zstd/ },
    }),
  ),
  ...(
    [
      ['gzip that is none', '{}', 'gzip'],
      ['gzip of nothing', '', 'gzip'],
      ['gzip that is cut off', gzipSync('{"resourceSpans":[]}').subarray(0, 14), 'gzip'],
      ['gzip without its last byte', gzipSync('{}').subarray(0, -1), 'gzip'],
      ['gzip with a byte behind it', Buffer.concat([gzipSync('{}'), Buffer.from([1])]), 'gzip'],
      ['gzip with a wrong sum', withWrongSum(gzipSync('{}')), 'gzip'],
      ['zstd that is none', '{}', 'zstd'],
      ['zstd that is cut off', zstdCompressSync('{"resourceSpans":[]}').subarray(0, 14), 'zstd'],
      ['deflate that is none', 'hello', 'deflate'],
    ] as const
  ).map(
    ([what, body, encoding]): Exchange => ({
      ids: ['A8', 'O32'],
      name: `${what} is a 400`,
      body,
      headers: { 'content-type': JSON_TYPE, 'content-encoding': encoding },
      status: 400,
      code: 'malformed_encoding',
    }),
  ),
  {
    ids: ['O30', 'A9'],
    name: 'a gzip of a megabyte that holds a gigabyte is a 413',
    body: gzipOfZeros(1024),
    headers: { 'content-type': JSON_TYPE, 'content-encoding': 'gzip' },
    status: 413,
    code: 'body_too_large',
  },
  {
    ids: ['O33', 'A9'],
    name: 'a gigabyte in many members of gzip is a 413',
    body: Buffer.alloc(16 * 65_000, gzipSync(Buffer.alloc(BODY_MAX_BYTES, ' '))),
    headers: { 'content-type': JSON_TYPE, 'content-encoding': 'gzip' },
    status: 413,
    code: 'body_too_large',
  },
  {
    ids: ['O21', 'A15'],
    name: 'a gzip of 65 kB with 64 MB of objects is a 400',
    body: gzipSync(`{"x":[${'{},'.repeat(20_000_000)}{}]}`),
    headers: { 'content-type': JSON_TYPE, 'content-encoding': 'gzip' },
    status: 400,
    code: 'too_many_values',
  },
  ...(
    [
      ['another’s key', 'Bearer lk_ingest_unknown', 401, 'invalid_api_key'],
      ['Basic', 'Basic dXNlcjpwYXNz', 401, 'invalid_api_key'],
      ['a key with a space behind it', 'Bearer  x', 401, 'invalid_api_key'],
    ] as const
  ).flatMap(([what, authorization, status, code]): Exchange[] =>
    [JSON_TYPE, PROTOBUF].map((type) => ({
      ids: ['A21', 'A14'],
      name: `${what} is a 401 before the body is looked at, in ${type}`,
      body: 'no gzip',
      headers: { 'content-type': type, 'content-encoding': 'gzip', authorization },
      status,
      code,
      answers: { 'www-authenticate': /^Bearer$/ },
    })),
  ),
]

function withWrongSum(gzip: Buffer): Buffer {
  const wrong = Buffer.from(gzip)
  wrong.writeUInt32LE(1, wrong.length - 8)
  return wrong
}

/** A single gzip member of so many megabytes of spaces: one flushed block, repeated. */
function gzipOfZeros(megabytes: number): Buffer {
  const block = deflateRawSync(Buffer.alloc(1024 ** 2, ' '), { finishFlush: constants.Z_SYNC_FLUSH })
  const member = gzipSync('')
  const trailer = Buffer.alloc(8)
  trailer.writeUInt32LE(crc32(''), 0)
  return Buffer.concat([member.subarray(0, 10), ...Array<Buffer>(megabytes).fill(block), Buffer.from([3, 0]), trailer])
}

const exchangeRow = ({ ids, name, side, body, headers, encoding, status, code, answers = {} }: Exchange): Row<Stage> => ({
  ids,
  name,
  side,
  run: async (stage) => {
    const answer = await stage.post(body, headers)
    const type = headers?.['content-type'] ?? (typeof body === 'string' ? JSON_TYPE : PROTOBUF)
    const said = readHttpAnswer(answer, encoding ?? (/json/i.test(type) ? 'json' : 'protobuf'))
    expect([said.status, said.message]).toEqual([status, code ? expect.stringMatching(new RegExp(`^${code}: .`)) : ''])
    for (const [name, value] of Object.entries(answers)) expect(answer.headers.get(name)).toMatch(value)
    if (status === 503) expect(answer.headers.get('retry-after')).toMatch(/^\d+$/)
  },
})

const COMPRESSIONS: [name: string, header: string, compress: (text: string) => Uint8Array][] = [
  ['nothing', '', (text) => Buffer.from(text)],
  ['identity', 'identity', (text) => Buffer.from(text)],
  ['gzip', 'gzip', (text) => gzipSync(text)],
  ['gzip in capitals', 'GZIP', (text) => gzipSync(text)],
  ['gzip in two members', 'gzip', (text) => Buffer.concat([gzipSync(text.slice(0, 40)), gzipSync(text.slice(40))])],
  ['deflate as zlib writes it', 'deflate', (text) => deflateSync(text)],
  ['deflate without its wrapper', 'deflate', (text) => deflateRawSync(text)],
  ['zstd', 'zstd', (text) => zstdCompressSync(text)],
]

const compressions: Row<Stage>[] = COMPRESSIONS.map(([name, header, compress]) => ({
  ids: ['A6', 'A12', 'A17', 'X3'],
  name: `a span in ${name} is stored, and the answer is not compressed`,
  side: 'identity is taken, deflate in both forms; the Collector refuses identity',
  run: async (stage) => {
    const traceId = stage.newTraceId()
    const body = compress(oneSpan('"name":"compressed"').replaceAll('$T', traceId))
    const answer = await stage.post(body, {
      'content-type': JSON_TYPE,
      ...(header !== '' && { 'content-encoding': header }),
      'accept-encoding': 'gzip',
    })
    expect([answer.status, answer.text, answer.headers.get('content-encoding')]).toEqual([200, '{}', null])
    expect(await stage.records(traceId)).toMatchObject([{ name: 'compressed' }])
  },
}))

const untyped: Row<Stage> = {
  ids: ['A4', 'O27'],
  name: 'no Content-Type at all is a 415 with a Status',
  run: async ({ httpPort, keys }) => {
    const heard = await talk(httpPort, `${head({ authorization: `Bearer ${keys.producer_key}`, 'content-length': 2 })}{}`)
    expect(statusOf(heard)).toBe(415)
    expect(heard.text).toMatch(/content-type: application\/json\r\n/i)
  },
}

/** Types, compressions and keys of OTLP/HTTP: what is taken, and what is refused before a body is read as telemetry. */
export const encodingRows: Row<Stage>[] = [...exchanges.map(exchangeRow), ...compressions, untyped]
