import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { connect as connectHttp2 } from 'node:http2'
import type { Socket } from 'node:net'
import { expect } from '@jest/globals'
import { callApi, until } from '../harness/http.ts'
import { encodeTraceRequest } from '../harness/otlp-protobuf.ts'
import { both, oneSpan } from './bodies.ts'
import { chunk, type Heard, head, hear, openSocket, statusOf, talk } from './raw-http.ts'
import type { Row } from './rule-ids.ts'
import { type Stage, untilLedger } from './stage.ts'

/** Begun before the first row, since each takes seconds of waiting and nothing else. */
export interface SlowSenders {
  body: Promise<Heard>
  headers: Promise<Heard>
  /** A request, a pause longer than Node's own idle time and than exporters' timers, a request. */
  idle: Promise<number[]>
}

export interface ConnectionStage extends Stage {
  slow: SlowSenders
}

/** Node closes idle connections after 5 s by default, just when an exporter's timer fires. */
const IDLE_MS = 6_500
const DRIP_MS = 900
const JSON_TYPE = 'application/json'

const jsonHead = ({ keys }: Stage, more: Record<string, string | number>): string =>
  head({ authorization: `Bearer ${keys.producer_key}`, 'content-type': JSON_TYPE, ...more })

export function startSlowSenders(stage: Stage): SlowSenders {
  return {
    body: hear(openSocket(stage.httpPort), (socket) => drip(socket, jsonHead(stage, { 'content-length': 1000 }))),
    headers: hear(openSocket(stage.httpPort), (socket) => drip(socket, 'POST /v1/traces HTTP/1.1\r\nhost: ')),
    idle: pauseBetween(stage),
  }
}

/** A byte now and then, for ever. */
function drip(socket: Socket, start: string): void {
  socket.write(start)
  const timer = setInterval(() => socket.write(' '), DRIP_MS)
  socket.on('close', () => clearInterval(timer))
}

async function pauseBetween(stage: Stage): Promise<number[]> {
  const socket = openSocket(stage.httpPort)
  const statuses: number[] = []
  socket.on('data', (data) => statuses.push(Number(/^HTTP\/1\.1 (\d{3})/.exec(data.toString('latin1'))?.[1])))
  socket.on('error', () => statuses.push(0))
  const send = () => socket.write(`${jsonHead(stage, { 'content-length': 2 })}{}`)
  send()
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS))
  send()
  await until('the second answer', () => (statuses.length >= 2 ? true : null))
  socket.destroy()
  return statuses
}

const MALFORMED: [name: string, bytes: string, status: number][] = [
  ['a length and chunks', head({ 'content-length': 1, 'transfer-encoding': 'chunked' }), 400],
  ['two lengths', `${head({ 'content-length': 1 }).slice(0, -2)}content-length: 2\r\n\r\n`, 400],
  ['a length below zero', head({ 'content-length': -1 }), 400],
  ['a length that is no number', head({ 'content-length': '1x' }), 400],
  ['a zero byte in a header', head({ x: 'a\0b' }), 400],
  ['no host', 'POST /v1/traces HTTP/1.1\r\n\r\n', 400],
  ['a line that is no request', 'hello\r\n\r\n', 400],
  ['a header name with a space', 'POST /v1/traces HTTP/1.1\r\nhost: x\r\nbad name: x\r\n\r\n', 400],
]

const malformed: Row<ConnectionStage>[] = [
  ...MALFORMED.map(
    ([name, bytes, status]): Row<ConnectionStage> => ({
      ids: ['O38'],
      name: `${name} is a ${status}, and the connection is closed`,
      run: async ({ httpPort }) => {
        const heard = await talk(httpPort, bytes, { enough: () => false })
        expect([statusOf(heard), heard.closed]).toEqual([status, true])
      },
    }),
  ),
  {
    ids: ['O38'],
    name: 'a chunk whose size is no number is a 400, and the connection is closed',
    run: async (stage) => {
      const heard = await talk(stage.httpPort, `${jsonHead(stage, { 'transfer-encoding': 'chunked' })}xyz\r\n`, {
        enough: () => false,
      })
      expect([statusOf(heard), heard.closed]).toEqual([400, true])
    },
  },
  {
    ids: ['O37'],
    name: 'headers over 16 KiB are a 431',
    run: async ({ httpPort }) => expect(statusOf(await talk(httpPort, head({ x: 'y'.repeat(17_000) })))).toBe(431),
  },
  {
    ids: ['O39'],
    name: 'a chunk extension of 20 KiB is a 413',
    run: async (stage) => {
      const bytes = Buffer.concat([
        Buffer.from(jsonHead(stage, { 'transfer-encoding': 'chunked' })),
        chunk('{}', `;x=${'y'.repeat(20_000)}`),
      ])
      expect(statusOf(await talk(stage.httpPort, bytes))).toBe(413)
    },
  },
]

const wrongPorts: Row<ConnectionStage>[] = [
  {
    ids: ['O40', 'A19', 'X16'],
    name: 'HTTP/2 on the port of OTLP/HTTP is a 400, and the log says what it was',
    side: 'HTTP/2 without TLS is optional and nobody sends it by themselves: whoever does has the wrong port',
    run: async ({ httpPort, product }) => {
      const heard = await talk(httpPort, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
      expect(statusOf(heard)).toBe(400)
      await until('the hint', () => (product.output().includes('HTTP/2 or gRPC on the OTLP/HTTP port') ? true : null))
      const session = connectHttp2(`http://127.0.0.1:${httpPort}`)
      await new Promise((resolve) => session.on('error', () => {}).on('close', resolve))
    },
  },
  {
    ids: ['O40', 'X16'],
    name: 'TLS on a port without is a 400, and the log says what it was',
    run: async ({ httpPort, product }) => {
      const hello = Buffer.from('16030100c8010000c403030000000000000000000000000000000000000000000000000000000000000000', 'hex')
      expect(statusOf(await talk(httpPort, hello))).toBe(400)
      await until('the hint', () => (product.output().includes('TLS on the plain OTLP/HTTP port') ? true : null))
    },
  },
  {
    ids: ['X16'],
    name: 'HTTP/1.1 on the port of gRPC is cut, and the log says what it was',
    run: async ({ grpcPort, product }) => {
      expect((await talk(grpcPort, head({}), { enough: () => false })).closed).toBe(true)
      await until('the hint', () => (product.output().includes('something other than gRPC') ? true : null))
    },
  },
]

const gone: Row<ConnectionStage>[] = [
  {
    ids: ['O35'],
    name: 'a body that is shorter than announced stores nothing and is no error of ours',
    run: async (stage) => {
      const traceId = stage.newTraceId()
      const body = oneSpan('"name":"half"').replaceAll('$T', traceId)
      for (let n = 0; n < 50; n++)
        await talk(stage.httpPort, jsonHead(stage, { 'content-length': body.length + 10 }) + body, {
          end: true,
          enough: () => false,
        })
      expect(await stage.records(traceId)).toEqual([])
      expect(stage.product.output()).not.toMatch(/"level":"?(error|50)/)
    },
  },
  {
    ids: ['O45', 'P11', 'X3'],
    name: 'who goes away before the answer finds the span stored, and sends it again for nothing',
    run: async (stage) => {
      const traceId = stage.newTraceId()
      const body = Buffer.from(oneSpan('"name":"left"').replaceAll('$T', traceId))
      const before = await stage.ledger()
      const socket = openSocket(stage.httpPort)
      await new Promise((resolve) =>
        socket.write(Buffer.concat([Buffer.from(jsonHead(stage, { 'content-length': body.length })), body]), resolve),
      )
      socket.resetAndDestroy()
      await until('the span', async () => ((await stage.records(traceId)).length === 1 ? true : null))
      expect((await stage.post(body.toString())).text).toBe('{}')
      const after = await untilLedger(stage, 'the copy', ({ deduplicated }) => deduplicated > before.deduplicated)
      expect(after.accepted - before.accepted).toBe(1)
      expect(await stage.records(traceId)).toHaveLength(1)
    },
  },
  {
    ids: ['A18'],
    name: 'fifty requests on one connection, sent without waiting, are all answered in turn',
    run: async (stage) => {
      const ids = Array.from({ length: 50 }, () => stage.newTraceId())
      const requests = ids.map((traceId) => {
        const body = Buffer.from(encodeTraceRequest(both({ name: 'piped' })(traceId)))
        return Buffer.concat([
          Buffer.from(jsonHead(stage, { 'content-type': 'application/x-protobuf', 'content-length': body.length })),
          body,
        ])
      })
      const heard = await talk(stage.httpPort, Buffer.concat(requests), {
        enough: (text) => text.split('HTTP/1.1 200 OK').length === 51,
      })
      expect(heard.closed).toBe(false)
      for (const traceId of ids) expect(await stage.records(traceId)).toHaveLength(1)
    },
  },
]

const CONNECTIONS = 1_000
const MORE_THAN_ALLOWED = 2_200
const FILES_BESIDE = 12
/** A test of many sockets needs as many files in this process. */
const whyNoSockets = (): string | null => {
  if (process.platform !== 'linux') return 'limits of open files are read from /proc'
  const allowed = Number(execFileSync('sh', ['-c', 'ulimit -n'], { encoding: 'utf8' }).trim())
  return allowed < MORE_THAN_ALLOWED + 500 ? `only ${allowed} files may be open` : null
}
const whyNoPrlimit = (): string | null => {
  try {
    execFileSync('prlimit', ['--version'], { stdio: 'ignore' })
    return null
  } catch {
    return 'prlimit is missing'
  }
}

const crowds: Row<ConnectionStage>[] = [
  {
    ids: ['O43'],
    name: 'a thousand idle connections hold nobody up; beyond 2,000 new ones are refused and old ones served',
    whyNot: whyNoSockets,
    timeoutMs: 60_000,
    run: async (stage) => {
      const old = openSocket(stage.httpPort)
      await new Promise((resolve) => old.once('connect', resolve))
      const idle = await openMany(stage.httpPort, CONNECTIONS)
      expect((await stage.post('{}', { connection: 'close' })).status).toBe(200)
      const more = await openMany(stage.httpPort, MORE_THAN_ALLOWED - CONNECTIONS)
      await until('the surplus to be cut', () => (more.some((socket) => socket.closed || socket.destroyed) ? true : null))
      const heard = await hear(old, (socket) => socket.write(`${jsonHead(stage, { 'content-length': 2 })}{}`))
      expect(statusOf(heard)).toBe(200)
      for (const socket of [...idle, ...more]) socket.destroy()
      await until('room again', async () =>
        (await callApi(`${stage.product.otlpUrl}/health`).catch(() => null))?.status === 200 ? true : null,
      )
    },
  },
  {
    ids: ['O44'],
    name: 'without a file descriptor left nothing crashes, and with one again it serves',
    whyNot: whyNoPrlimit,
    timeoutMs: 60_000,
    run: async (stage) => {
      const pid = stage.product.collectorPid()
      const setLimit = (files: number) => execFileSync('prlimit', ['--pid', String(pid), `--nofile=${files}:`])
      const open = readdirSync(`/proc/${pid}/fd`).length
      setLimit(open + FILES_BESIDE)
      const sockets = await openMany(stage.httpPort, FILES_BESIDE * 10)
      await new Promise((resolve) => setTimeout(resolve, 500))
      for (const socket of sockets) socket.destroy()
      setLimit(4096)
      const traceId = stage.newTraceId()
      await until('an answer', async () => {
        const answer = await stage
          .post(oneSpan('"name":"again"').replaceAll('$T', traceId), { connection: 'close' })
          .catch(() => null)
        return answer?.status === 200 ? true : null
      })
      expect(await stage.records(traceId)).toHaveLength(1)
      expect(stage.product.collectorPid()).toBe(pid)
    },
  },
]

/** Resolves when each is connected or was refused. */
async function openMany(port: number, count: number): Promise<Socket[]> {
  const sockets = Array.from({ length: count }, () => openSocket(port))
  await Promise.all(
    sockets.map(
      (socket) =>
        new Promise<void>((resolve) => {
          socket.once('connect', () => resolve())
          socket.on('error', () => resolve())
          socket.once('close', () => resolve())
          socket.resume()
        }),
    ),
  )
  return sockets
}

const slow: Row<ConnectionStage>[] = [
  {
    ids: ['A18'],
    name: 'a connection that was idle for longer than exporters wait is served again',
    timeoutMs: 30_000,
    run: async ({ slow: { idle } }) => expect(await idle).toEqual([200, 200]),
  },
  {
    ids: ['O36'],
    name: 'headers that come a letter a second are a 408 within seconds',
    timeoutMs: 30_000,
    run: async ({ slow: { headers } }) => {
      const heard = await headers
      expect([statusOf(heard), heard.closed || heard.ms < 8_000]).toEqual([408, true])
    },
  },
  {
    ids: ['O36'],
    name: 'a body that comes a byte a second is a 408 after ten',
    timeoutMs: 30_000,
    run: async ({ slow: { body } }) => {
      const heard = await body
      expect(statusOf(heard)).toBe(408)
      expect(heard.ms).toBeLessThan(13_000)
    },
  },
]

/** Faults of connections, byte by byte: what node's own clients would never send. */
export const connectionRows = [...malformed, ...wrongPorts, ...gone, ...crowds, ...slow]
