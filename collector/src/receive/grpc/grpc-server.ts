import {
  createSecureServer,
  createServer,
  type Http2SecureServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { ExportHandlerDeps } from '../export-handler.ts'
import { HANDSHAKE_TIMEOUT_MS, type TlsMaterial, tlsServerOptions } from '../tls/tls-files.ts'
import { type Hinter, hintOfHandshake } from '../wrong-protocol.ts'
import { createCallHandler } from './call-handler.ts'

export interface GrpcServerDeps extends ExportHandlerDeps {
  /** A client speaks another protocol on this port. */
  hint: Hinter
  /** null: plain. */
  tls: TlsMaterial | null
}

export interface GrpcServer {
  /** To be told where to listen. */
  server: Http2Server | Http2SecureServer
  /** Takes no new connection or call, waits for calls under way, cuts those that take too long. */
  stop(): Promise<void>
}

/** Unread bytes of one call: with 64 kB, HTTP/2's own, a body of a megabyte waits for the round trip sixteen times. */
const STREAM_WINDOW_BYTES = 512 * 1024
/** What one connection may have sent that nobody has read: times the connections, it is memory. */
const CONNECTION_WINDOW_BYTES = 1024 ** 2
/** Calls of one connection at once; exporters use some ten. */
const CALLS_MAX = 100
const CONNECTIONS_MAX = 1_000
const HEADERS_MAX_BYTES = 16 * 1024
/** Longer than exporters' intervals. An idle connection is ended with GOAWAY, upon which clients connect again unseen. */
const IDLE_MS = 300_000
/** Calls under way get this long to end, in ms: the promise is 10 s for stopping all of the process. */
const STOP_GRACE_MS = 7_000
/** nghttp2's NGHTTP2_ERR_BAD_CLIENT_MAGIC: the connection did not open with HTTP/2's preface. */
const BAD_CLIENT_MAGIC = -903
const NO_GRPC =
  'a client speaks something other than gRPC on the OTLP/gRPC port, or speaks TLS where it is plain; OTLP/HTTP has a port of its own'

/**
 * OTLP/gRPC on Node's own HTTP/2. A general gRPC server hands over a message only when it has read and inflated all of
 * it; here the key is judged and room is taken before that, as over HTTP, and the bytes go the same way from there.
 * HTTP/2 PINGs are answered at any sane rate: there is no policy that could end a connection for them.
 */
export function createGrpcServer(deps: GrpcServerDeps): GrpcServer {
  const { hint, tls } = deps
  const options = {
    settings: {
      initialWindowSize: STREAM_WINDOW_BYTES,
      maxConcurrentStreams: CALLS_MAX,
      maxHeaderListSize: HEADERS_MAX_BYTES,
    },
  }
  const server = tls
    ? createSecureServer({ ...options, ...tlsServerOptions(tls), handshakeTimeout: HANDSHAKE_TIMEOUT_MS })
    : createServer(options)
  server.maxConnections = CONNECTIONS_MAX
  const sessions = new Set<ServerHttp2Session>()
  server.on('session', (session) => {
    sessions.add(session)
    session.once('close', () => sessions.delete(session))
    session.setLocalWindowSize(CONNECTION_WINDOW_BYTES)
    session.setTimeout(IDLE_MS, () => session.close())
  })
  const handleCall = createCallHandler(deps)
  server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, _flags: number, rawHeaders: string[]) =>
    handleCall(stream, headers, rawHeaders),
  )
  server.on('sessionError', (error: Error & { errno?: number }) => {
    if (error.errno === BAD_CLIENT_MAGIC) hint(NO_GRPC)
  })
  if (tls) {
    server.on('tlsClientError', (error: Error, socket: TLSSocket) => {
      const mistake = hintOfHandshake(error, socket)
      if (mistake) hint(mistake)
    })
    // A client that did not ask for HTTP/2 in its handshake.
    server.on('unknownProtocol', (socket: Socket) => {
      hint(NO_GRPC)
      socket.destroy()
    })
  }
  return { server, stop: () => stopServer(server, sessions) }
}

function stopServer(server: Http2Server | Http2SecureServer, sessions: ReadonlySet<ServerHttp2Session>): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => {
      for (const session of sessions) session.destroy()
    }, STOP_GRACE_MS)
    server.close(() => {
      clearTimeout(cut)
      resolve()
    })
    for (const session of sessions) session.close()
  })
}
