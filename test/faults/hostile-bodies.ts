import { gzipSync } from 'node:zlib'

/** What is sent from many connections at once, again and again. */
export interface HostileLoad {
  name: string
  /** Part of every run of the tests; the others are tried by all.ts. */
  isShort?: boolean
  connections: number
  headers: Record<string, string>
  body(): Uint8Array
  /** Each connection sends its body at this pace; null: as fast as it is taken. */
  bytesPerSecond: number | null
}

const MIB = 1024 ** 2
const PROTOBUF = { 'content-type': 'application/x-protobuf' }
const JSON_TYPE = { 'content-type': 'application/json' }
const GZIP = { 'content-encoding': 'gzip' }
/** Field 1 of the request, field 2 of resource spans and of scope spans, in protobuf. */
const REQUEST_TAG = 0x0a
const INNER_TAG = 0x12

function field(tag: number, content: Uint8Array): Buffer {
  const head = [tag]
  let length = content.length
  for (; length >= 128; length = Math.floor(length / 128)) head.push((length % 128) | 128)
  return Buffer.concat([Buffer.from([...head, length]), content])
}

const request = (spans: Uint8Array) => field(REQUEST_TAG, field(INNER_TAG, spans))
const requestJson = (spans: string) => Buffer.from(`{"resourceSpans":[{"scopeSpans":[{"spans":[${spans}]}]}]}`)

/** One span: ids, a name, and a text of so many bytes as its one attribute. */
function span(n: number, textBytes: number): Buffer {
  const traceId = Buffer.alloc(16, 7)
  const spanId = Buffer.alloc(8, 7)
  traceId.writeUInt32LE(n >>> 3)
  spanId.writeUInt32LE(n)
  const text = Buffer.alloc(textBytes, `a text of some length, number ${n}; `)
  const value = field(0x12, field(0x0a, text))
  const attribute = field(0x4a, Buffer.concat([field(0x0a, Buffer.from('text')), value]))
  return field(INNER_TAG, Buffer.concat([field(0x0a, traceId), field(0x12, spanId), field(0x2a, Buffer.from('work')), attribute]))
}

function spansOf(bytes: number, textBytes: number): Buffer {
  const spans: Buffer[] = []
  for (let n = 1, total = 0; total < bytes; n++) {
    spans.push(span(n, textBytes))
    total += spans.at(-1)!.length
  }
  return request(Buffer.concat(spans))
}

const repeated = (text: string, times: number) => Array(times).fill(text).join(',')

export const HOSTILE_LOADS: readonly HostileLoad[] = [
  {
    name: '64 connections with bodies of 16 MiB',
    isShort: true,
    ...{ connections: 64, headers: PROTOBUF, bytesPerSecond: null, body: () => spansOf(15.9 * MIB, 2_000) },
  },
  {
    name: 'bodies of 64 MiB with nothing but empty spans',
    ...{
      connections: 8,
      headers: PROTOBUF,
      bytesPerSecond: null,
      body: () => request(Buffer.alloc(63 * MIB, Buffer.from([INNER_TAG, 0]))),
    },
  },
  {
    name: 'bodies of the smallest spans',
    ...{ connections: 16, headers: PROTOBUF, bytesPerSecond: null, body: () => spansOf(15 * MIB, 0) },
  },
  {
    name: 'gzip of 65 kB that becomes 64 MiB of empty objects',
    isShort: true,
    ...{
      connections: 64,
      headers: { ...JSON_TYPE, ...GZIP },
      bytesPerSecond: null,
      body: () => gzipSync(requestJson(repeated('{}', 22_000_000))),
    },
  },
  {
    name: 'gzip that becomes a gigabyte',
    ...{
      connections: 64,
      headers: { ...PROTOBUF, ...GZIP },
      bytesPerSecond: null,
      body: () => Buffer.concat(Array(16).fill(gzipSync(Buffer.alloc(64 * MIB)))),
    },
  },
  {
    name: 'JSON of as many values as are taken',
    ...{ connections: 32, headers: JSON_TYPE, bytesPerSecond: null, body: () => requestJson(repeated('{"a":[1,2]}', 900_000)) },
  },
  {
    name: 'JSON whose spans are all refused one by one',
    isShort: true,
    ...{
      connections: 32,
      headers: JSON_TYPE,
      bytesPerSecond: null,
      body: () => requestJson(repeated('{"traceId":[1],"spanId":"a"}', 450_000)),
    },
  },
  {
    name: '64 connections that bring 16 MiB at 20 kB a second',
    ...{ connections: 64, headers: PROTOBUF, bytesPerSecond: 20_000, body: () => Buffer.alloc(15.9 * MIB) },
  },
]
