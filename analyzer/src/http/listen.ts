import { createServer, type RequestListener, STATUS_CODES } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { doorErrors, type ErrorKind, RequestError, toProblem } from './errors.ts'

export interface Listening {
  port: number
  url: string
  /** Takes no new connection, lets requests under way finish for so long, then cuts them. */
  close(graceMs: number): Promise<void>
}

/** Bounds of one connection (reliability.md §3.11). A body that is streamed on to the collector sets its own end. */
const SERVER_OPTIONS = {
  maxHeaderSize: 16_384,
  headersTimeout: 5_000,
  requestTimeout: 60_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 1_000,
}
const CONNECTIONS_MAX = 1_024

/** Listens, or rejects with the system's error (EADDRINUSE, EACCES). Port 0 takes a free one. */
export async function listen(app: RequestListener, { host, port }: { host: string; port: number }): Promise<Listening> {
  const server = createServer(SERVER_OPTIONS, app)
  server.maxConnections = CONNECTIONS_MAX
  server.on('clientError', refuseUnread)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
  const actual = (server.address() as AddressInfo).port
  const close = async (graceMs: number) => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    server.closeIdleConnections()
    const timer = setTimeout(() => server.closeAllConnections(), graceMs)
    await closed
    clearTimeout(timer)
  }
  return { port: actual, url: `http://${host.includes(':') ? `[${host}]` : host}:${actual}`, close }
}

const UNREAD: Record<string, { kind: ErrorKind; detail: string }> = {
  HPE_HEADER_OVERFLOW: {
    kind: doorErrors.headersTooLarge,
    detail: `address and headers together may have ${SERVER_OPTIONS.maxHeaderSize} bytes`,
  },
  ERR_HTTP_REQUEST_TIMEOUT: { kind: doorErrors.requestTimeout, detail: 'the request did not arrive in time' },
}
const UNREADABLE = { kind: doorErrors.malformedRequest, detail: 'this is no HTTP request' }

/** A request that Node itself refuses reaches no route: it is answered here in the shape of all other errors. */
function refuseUnread(
  error: Error & { code?: string },
  socket: Socket & { _httpMessage?: { headersSent: boolean } | null },
): void {
  // An answer under way cannot take another one into its middle.
  if (error.code === 'ECONNRESET' || !socket.writable || socket._httpMessage?.headersSent) return void socket.destroy()
  const { kind, detail } = UNREAD[error.code ?? ''] ?? UNREADABLE
  const body = JSON.stringify(toProblem(new RequestError(kind, detail)))
  const head = [
    `HTTP/1.1 ${kind.status} ${STATUS_CODES[kind.status]}`,
    'connection: close',
    'content-type: application/problem+json',
    `content-length: ${Buffer.byteLength(body)}`,
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
}
