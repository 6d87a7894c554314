import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { systemClock } from '@loopkit/shared/runtime/clock'
import { endUnread } from '@loopkit/shared/runtime/end-unread'
import { createLogger } from '@loopkit/shared/runtime/log'
import { createApp } from '../../http/app.ts'
import { type Listening, listen } from '../../http/listen.ts'
import { forwardedHeaders } from './forward-headers.rules.ts'
import { type CollectorAddress, createIngest } from './index.ts'

let collector: Server
let answer: (request: IncomingMessage, response: ServerResponse) => void
let address: CollectorAddress | null
let analyzer: Listening
let ingest: ReturnType<typeof createIngest>

beforeEach(async () => {
  collector = createServer((request, response) => answer(request, response))
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve))
  address = { host: '127.0.0.1', port: (collector.address() as AddressInfo).port, pathPrefix: '' }
  ingest = createIngest({ findCollector: () => address })
  const app = createApp({
    routes: [],
    streams: ingest.streams,
    authenticate: () => {
      throw new Error('never asked')
    },
    checkAdmin: () => {},
    takeLimit: () => ({}),
    clock: systemClock,
    log: createLogger({ service: 'test', level: 'silent', pretty: false }),
  })
  analyzer = await listen(app, { host: '127.0.0.1', port: 0 })
})
afterEach(async () => {
  ingest.close()
  await analyzer.close(0)
  collector.closeAllConnections()
  collector.close()
})

const send = (body: string | Uint8Array, headers: Record<string, string> = {}) =>
  fetch(`${analyzer.url}/v1/traces`, { method: 'POST', body, headers: { 'content-type': 'application/x-protobuf', ...headers } })

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

describe('POST /v1/traces on the analyzer', () => {
  test('reaches the collector byte for byte, and its answer comes back with its status and headers', async () => {
    let seen: { body: Buffer; request: IncomingMessage } | undefined
    answer = async (request, response) => {
      seen = { body: await readAll(request), request }
      response.writeHead(429, { 'content-type': 'application/x-protobuf', 'retry-after': '7' }).end(Buffer.from([1, 2, 0xff]))
    }
    const body = Buffer.from([0, 255, 10, 13, 128])
    const response = await send(body, { authorization: 'Bearer k', 'content-encoding': 'gzip', 'user-agent': 'exporter/1' })
    expect(seen?.body).toEqual(body)
    expect(seen?.request).toMatchObject({
      url: '/v1/traces',
      method: 'POST',
      headers: { authorization: 'Bearer k', 'content-encoding': 'gzip', 'user-agent': 'exporter/1', 'content-length': '5' },
    })
    expect([response.status, response.headers.get('retry-after'), response.headers.get('content-type')]).toEqual([
      429,
      '7',
      'application/x-protobuf',
    ])
    expect(Buffer.from(await response.arrayBuffer())).toEqual(Buffer.from([1, 2, 0xff]))
  })

  test('of tens of megabytes passes without being held', async () => {
    const size = 48 * 1024 ** 2
    answer = async (request, response) => {
      let bytes = 0
      for await (const chunk of request) bytes += (chunk as Buffer).length
      response.end(String(bytes))
    }
    expect(await (await send(new Uint8Array(size))).text()).toBe(String(size))
  })

  test.each([
    ['application/json', '{"code":14,"message":"the collector is not there; try again"}'],
    ['application/x-protobuf', null],
  ])('is a 503 in %s while the collector is away', async (type, text) => {
    for (const away of [null, { host: '127.0.0.1', port: 1, pathPrefix: '' }]) {
      address = away
      const response = await send('{}', { 'content-type': type })
      expect([response.status, response.headers.get('retry-after'), response.headers.get('content-type')]).toEqual([
        503,
        '1',
        type,
      ])
      const body = await response.text()
      if (text) expect(body).toBe(text)
      else expect(body.charCodeAt(0)).toBe(8)
    }
  })

  test('is refused by the collector before it has read a large body, and the refusal arrives whole', async () => {
    answer = (_request, response) => void response.writeHead(413, { connection: 'close' }).end('too large')
    const socket = connect(analyzer.port, '127.0.0.1')
    const received = new Promise<string>((resolve) => {
      let text = ''
      socket.on('data', (chunk) => {
        text += chunk.toString()
      })
      socket.on('close', () => resolve(text))
      socket.on('error', () => {})
    })
    socket.write('POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000000\r\n\r\nstart')
    expect(await received).toMatch(/^HTTP\/1\.1 413 [\s\S]*too large/)
  })

  test('is refused before it is read, and a sender that reads only after it has sent all of it is told so', async () => {
    answer = (request, response) => {
      response.writeHead(413, { connection: 'close', 'content-length': 9 })
      endUnread(request, response, Buffer.from('too large'))
    }
    const socket = connect(analyzer.port, '127.0.0.1')
    const failures: Error[] = []
    socket.on('error', (error) => failures.push(error))
    socket.pause()
    const size = 48 * 1024 ** 2
    socket.write(`POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-length: ${size}\r\n\r\n`)
    await new Promise((resolve) => socket.write(Buffer.alloc(size), resolve))
    let text = ''
    for await (const chunk of socket) text += chunk.toString()
    expect([text.slice(0, 12), text.endsWith('too large'), failures]).toEqual(['HTTP/1.1 413', true, []])
  })

  test('that the client breaks off is broken off at the collector', async () => {
    const broken = new Promise<void>((resolve) => {
      answer = (request) => void request.on('close', () => resolve()).resume()
    })
    const socket = connect(analyzer.port, '127.0.0.1')
    socket.write('POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nstart')
    setTimeout(() => socket.destroy(), 50)
    await broken
  })
})

test.each([
  ['a key of its own', { authorization: 'Bearer a' }, false, 'Bearer a'],
  ['a key in the other header', { 'x-t4-api-key': 'b' }, false, 'Bearer b'],
  ['no key, from this machine', {}, true, undefined],
  ['no key, from another machine', {}, false, 'Bearer'],
])('a request with %s is forwarded with %#', (_, headers, loopback, authorization) => {
  expect(forwardedHeaders(headers, loopback).authorization).toBe(authorization)
})

test('headers of the connection, cookies and the host are not forwarded', () => {
  const headers = { connection: 'close', 'transfer-encoding': 'chunked', host: 'x', cookie: 'c', 'content-type': 't' }
  expect(forwardedHeaders(headers, true)).toEqual({ 'content-type': 't' })
})
