import { createServer, type IncomingMessage } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { afterEach, expect, test } from '@jest/globals'
import { createInFlight } from '../admit/in-flight.ts'
import { readBody, SenderGoneError } from './read-body.ts'

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

/** What reading a request's body gives, and the bytes that are still held for it afterwards. */
async function read(write: (socket: Socket) => void, { bodyMaxBytes = 1000, maxBytes = 100_000 } = {}) {
  const inFlight = createInFlight({ maxBytes, monotonicMs: () => 0, waitMaxMs: 20 })
  const limits = { bodyMaxBytes, progressMs: 50, progressMinBytes: 10, periodsMax: 4 }
  const outcome = await new Promise<unknown>((resolve) => {
    const server = createServer((request: IncomingMessage, response) => {
      readBody(request, 1, inFlight, limits, () => {}).then(
        (received) => {
          resolve(received.kind === 'received' ? Buffer.from(received.bytes).toString() : received.code)
          if (received.kind === 'received') received.room.release()
          response.end()
        },
        (error: Error) => resolve(error instanceof SenderGoneError ? 'gone' : error),
      )
    })
    server.listen(0, '127.0.0.1', () => {
      const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
      socket.on('error', () => {})
      closers.push(() => {
        socket.destroy()
        server.close()
        server.closeAllConnections()
      })
      write(socket)
    })
  })
  return { outcome, held: inFlight.bytes() }
}

const head = (more: string) => `POST / HTTP/1.1\r\nhost: x\r\n${more}\r\n\r\n`

test.each([
  ['a body of announced length', `${head('content-length: 5')}hello`, {}, 'hello'],
  ['a body in chunks', `${head('transfer-encoding: chunked')}5\r\nhello\r\n4\r\n you\r\n0\r\n\r\n`, {}, 'hello you'],
  ['no body', head('x: y'), {}, ''],
  ['a body announced over the limit', head('content-length: 1001'), {}, 'body_too_large'],
  [
    'a body that grows over the limit',
    `${head('transfer-encoding: chunked')}3e9\r\n${'x'.repeat(1001)}\r\n`,
    {},
    'body_too_large',
  ],
  ['a body that brings a byte now and then', `${head('content-length: 500')}x`, {}, 'slow_body'],
])('%s', async (_, text, options, expected) => {
  const { outcome, held } = await read((socket) => void socket.write(text), options)
  expect([outcome, held]).toEqual([expected, 0])
})

test('a body that comes steadily and does not end in time is too slow', async () => {
  const { outcome, held } = await read((socket) => {
    socket.write(head('content-length: 900'))
    const sending = setInterval(() => socket.write('x'.repeat(15)), 20)
    closers.push(() => clearInterval(sending))
  })
  expect([outcome, held]).toEqual(['slow_body', 0])
})

test('a sender that goes away in the middle leaves nothing behind', async () => {
  const { outcome, held } = await read((socket) => {
    socket.write(`${head('content-length: 500')}half`)
    setTimeout(() => socket.destroy(), 20)
  })
  expect([outcome, held]).toEqual(['gone', 0])
})
