import { createServer, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { RequestListener } from './routes.ts'
import { HANDSHAKE_TIMEOUT_MS, type TlsMaterial, tlsServerOptions } from './tls/tls-files.ts'
import { type Hinter, hintOfHandshake, hintOfPacket } from './wrong-protocol.ts'

export interface HttpServerDeps {
  route: RequestListener
  /** A client speaks another protocol on this port. */
  hint: Hinter
  /** null: plain. */
  tls: TlsMaterial | null
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

const TOO_SLOW = 'ERR_HTTP_REQUEST_TIMEOUT'
const HEADERS_TOO_LARGE = 'HPE_HEADER_OVERFLOW'
const CHUNK_EXTENSIONS_TOO_LARGE = 'HPE_CHUNK_EXTENSIONS_OVERFLOW'

export function createHttpServer({ route, hint, tls }: HttpServerDeps): Server {
  const options = {
    maxHeaderSize: HEADERS_MAX_BYTES,
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionsCheckingInterval: TIMEOUT_CHECK_MS,
    noDelay: true,
  }
  const server = tls
    ? createTlsServer({ ...options, ...tlsServerOptions(tls), handshakeTimeout: HANDSHAKE_TIMEOUT_MS })
    : createServer(options)
  server.on('request', (request, response) => route(request, response, false))
  server.maxConnections = CONNECTIONS_MAX
  server.on('checkContinue', (request, response) => route(request, response, true))
  // A failed handshake comes here too.
  server.on('clientError', (error: ClientError, socket: Socket) => {
    const mistake = hintOfPacket(error.rawPacket) ?? (socket instanceof TLSSocket ? hintOfHandshake(error, socket) : null)
    if (mistake) hint(mistake)
    if (!socket.writable || isInHandshake(socket)) return void socket.destroy()
    socket.end(`HTTP/1.1 ${statusOf(error.code)}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`)
  })
  return server
}

interface ClientError extends Error {
  code?: string
  rawPacket?: Buffer
}

/** Nothing that is written now would be understood. */
function isInHandshake(socket: Socket): boolean {
  return socket instanceof TLSSocket && socket.getProtocol() === null
}

function statusOf(code: string | undefined): string {
  if (code === TOO_SLOW) return '408 Request Timeout'
  if (code === HEADERS_TOO_LARGE) return '431 Request Header Fields Too Large'
  return code === CHUNK_EXTENSIONS_TOO_LARGE ? '413 Content Too Large' : '400 Bad Request'
}
