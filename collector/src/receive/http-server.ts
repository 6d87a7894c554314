import { createServer, type Server } from 'node:http'
import type { Socket } from 'node:net'
import type { RequestListener } from './routes.ts'

export interface HttpServerDeps {
  route: RequestListener
  /** A client speaks another protocol on this port; told once a minute at most, with a hint. */
  onWrongProtocol(hint: string): void
  monotonicMs(): number
}

/** Headers larger than this are answered 431. */
const HEADERS_MAX_BYTES = 16 * 1024
const HEADERS_TIMEOUT_MS = 5_000
/** A whole request; a body that brings too little in between is ended earlier by its reader. */
const REQUEST_TIMEOUT_MS = 120_000
/** Longer than the idle time of exporters (5 s timers, minutes for metrics), so that they do not write into a closing socket. */
const KEEP_ALIVE_MS = 75_000
const TIMEOUT_CHECK_MS = 1_000
const CONNECTIONS_MAX = 2_000
const HINT_EVERY_MS = 60_000

const TOO_SLOW = 'ERR_HTTP_REQUEST_TIMEOUT'
const HEADERS_TOO_LARGE = 'HPE_HEADER_OVERFLOW'
const CHUNK_EXTENSIONS_TOO_LARGE = 'HPE_CHUNK_EXTENSIONS_OVERFLOW'

export function createHttpServer({ route, onWrongProtocol, monotonicMs }: HttpServerDeps): Server {
  const server = createServer(
    {
      maxHeaderSize: HEADERS_MAX_BYTES,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: TIMEOUT_CHECK_MS,
      noDelay: true,
    },
    (request, response) => route(request, response, false),
  )
  server.maxConnections = CONNECTIONS_MAX
  server.on('checkContinue', (request, response) => route(request, response, true))
  let hintedAtMs = Number.NEGATIVE_INFINITY
  server.on('clientError', (error: Error & { code?: string; rawPacket?: Buffer }, socket: Socket) => {
    const hint = wrongProtocolHint(error.rawPacket)
    if (hint && monotonicMs() - hintedAtMs >= HINT_EVERY_MS) {
      hintedAtMs = monotonicMs()
      onWrongProtocol(hint)
    }
    if (!socket.writable) return void socket.destroy()
    socket.end(`HTTP/1.1 ${statusOf(error.code)}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`)
  })
  return server
}

function statusOf(code: string | undefined): string {
  if (code === TOO_SLOW) return '408 Request Timeout'
  if (code === HEADERS_TOO_LARGE) return '431 Request Header Fields Too Large'
  return code === CHUNK_EXTENSIONS_TOO_LARGE ? '413 Content Too Large' : '400 Bad Request'
}

/** What the first bytes of something that is no HTTP/1.1 give away. */
export function wrongProtocolHint(packet: Buffer | undefined): string | null {
  if (!packet || packet.length < 3) return null
  if (packet.subarray(0, 14).toString('latin1') === 'PRI * HTTP/2.0')
    return 'a client speaks HTTP/2 or gRPC on the OTLP/HTTP port'
  if (packet[0] === 0x16 && packet[1] === 3) return 'a client speaks TLS on the plain OTLP/HTTP port'
  return null
}
