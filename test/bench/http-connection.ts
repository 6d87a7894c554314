import { connect, type Socket } from 'node:net'

/** One connection with one request under way, as an exporter has it. */
export interface LoadConnection {
  /** Memory for the next body, which starts at `bodyAt`; it is the connection's until the answer is there. */
  memory(bodyBytes: number): { bytes: Buffer; bodyAt: number }
  /** Sends what was put there. */
  send(bodyBytes: number): Promise<{ status: number; body: Buffer }>
  close(): void
}

export interface Target {
  host: string
  port: number
  headers: Record<string, string>
}

/** Heads are short; the rest is room for a longer content-length. */
const HEAD_MAX_BYTES = 1024

/**
 * Speaks just enough HTTP/1.1 to be no burden: the answer's length is told by it or it comes in one chunk. A connection that the server
 * has closed is opened again for the next request.
 */
export async function openHttpConnection({ host, port, headers }: Target, path: string): Promise<LoadConnection> {
  const lines = Object.entries({ host: `${host}:${port}`, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`)
  const head = `POST ${path} HTTP/1.1\r\n${lines.join('')}content-length: `
  let buffer = Buffer.alloc(0)
  let link = await openLink(host, port)
  return {
    memory(bodyBytes) {
      if (buffer.length < HEAD_MAX_BYTES + bodyBytes) buffer = Buffer.alloc(HEAD_MAX_BYTES + bodyBytes)
      return { bytes: buffer, bodyAt: HEAD_MAX_BYTES }
    },
    async send(bodyBytes) {
      const text = `${head}${bodyBytes}\r\n\r\n`
      const start = HEAD_MAX_BYTES - text.length
      buffer.write(text, start, 'latin1')
      if (link.isClosed()) link = await openLink(host, port)
      return link.exchange(buffer.subarray(start, HEAD_MAX_BYTES + bodyBytes))
    },
    close: () => link.close(),
  }
}

interface Link {
  isClosed(): boolean
  exchange(request: Buffer): Promise<{ status: number; body: Buffer }>
  close(): void
}

function openLink(host: string, port: number): Promise<Link> {
  let received: Buffer = Buffer.alloc(0)
  let closed = false
  let waiting: { resolve(answer: { status: number; body: Buffer }): void; reject(error: Error): void } | null = null
  const socket: Socket = connect({ host, port, noDelay: true })
  socket.on('data', (chunk) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk])
    const answer = readAnswer(received)
    if (answer === null) return
    received = Buffer.alloc(0)
    waiting?.resolve(answer)
    waiting = null
  })
  const end = (error: Error) => {
    closed = true
    waiting?.reject(error)
  }
  socket.on('error', end)
  socket.on('close', () => end(new Error('the connection was closed without an answer')))
  socket.on('end', () => {
    closed = true
  })
  const link: Link = {
    isClosed: () => closed,
    exchange: (request) =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject }
        socket.write(request)
      }),
    close: () => void socket.destroy(),
  }
  return new Promise((resolve, reject) => {
    socket.once('connect', () => resolve(link))
    socket.once('error', reject)
  })
}

/** null while there is not all of it. */
function readAnswer(bytes: Buffer): { status: number; body: Buffer } | null {
  const headEnd = bytes.indexOf('\r\n\r\n')
  if (headEnd < 0) return null
  const head = bytes.toString('latin1', 0, headEnd)
  const status = Number(head.slice(9, 12))
  const bodyAt = headEnd + 4
  const length = /\r\ncontent-length: (\d+)/i.exec(head)
  if (length) {
    const end = bodyAt + Number(length[1])
    return bytes.length < end ? null : { status, body: bytes.subarray(bodyAt, end) }
  }
  if (!/\r\ntransfer-encoding: chunked/i.test(head)) return { status, body: bytes.subarray(bodyAt) }
  return bytes.subarray(-5).toString('latin1') === '0\r\n\r\n' ? { status, body: dechunked(bytes.subarray(bodyAt)) } : null
}

function dechunked(bytes: Buffer): Buffer {
  const parts: Buffer[] = []
  for (let at = 0; at < bytes.length; ) {
    const lineEnd = bytes.indexOf('\r\n', at)
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16)
    if (!(size > 0)) break
    parts.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size))
    at = lineEnd + 4 + size
  }
  return Buffer.concat(parts)
}
