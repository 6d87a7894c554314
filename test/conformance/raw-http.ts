import { connect, type Socket } from 'node:net'

/** What the server said on a connection of its own, and how that went. */
export interface Heard {
  text: string
  /** The server ended or reset the connection. */
  closed: boolean
  ms: number
}

export interface TalkOptions {
  /** Enough was heard; the head of an answer other than `100 Continue` by default. */
  enough?: (text: string) => boolean
  /** Ends our side after the last byte. */
  end?: boolean
  timeoutMs?: number
}

const TIMEOUT_MS = 20_000
const HEAD = /HTTP\/1\.1 (?!100)\d{3} [\s\S]*?\r\n\r\n/

/** Writes bytes as they are to a TCP connection and hears until it is enough, until the server ends, or until time is up. */
export function talk(port: number, bytes: string | Uint8Array, options: TalkOptions = {}): Promise<Heard> {
  return hear(openSocket(port), (socket) => (options.end ? socket.end(bytes) : socket.write(bytes)), options)
}

export function openSocket(port: number): Socket {
  return connect(port, '127.0.0.1')
}

export function hear(socket: Socket, start: (socket: Socket) => void, options: TalkOptions = {}): Promise<Heard> {
  const { enough = (text: string) => HEAD.test(text), timeoutMs = TIMEOUT_MS } = options
  const startedMs = performance.now()
  return new Promise((resolve) => {
    let text = ''
    const finish = (closed: boolean) => {
      clearTimeout(timer)
      socket.destroy()
      resolve({ text, closed, ms: performance.now() - startedMs })
    }
    const timer = setTimeout(() => finish(false), timeoutMs)
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      if (enough(text)) finish(false)
    })
    socket.on('error', () => {})
    socket.on('close', () => finish(true))
    start(socket)
  })
}

/** The head of a request to the traces path. */
export function head(headers: Record<string, string | number>, path = '/v1/traces', method = 'POST'): string {
  const lines = Object.entries({ host: 'localhost', ...headers }).map(([name, value]) => `${name}: ${value}\r\n`)
  return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`
}

export const statusOf = ({ text }: Heard): number => Number(/HTTP\/1\.1 (?!100)(\d{3})/.exec(text)?.[1] ?? 0)

export const chunk = (bytes: string | Uint8Array, extension = ''): Buffer =>
  Buffer.concat([
    Buffer.from(`${Buffer.byteLength(bytes).toString(16)}${extension}\r\n`),
    Buffer.from(bytes),
    Buffer.from('\r\n'),
  ])
export const LAST_CHUNK = '0\r\n\r\n'
