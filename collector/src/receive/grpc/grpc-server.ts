import { createServer, type Http2Server, type ServerHttp2Session } from 'node:http2'
import type { ExportHandlerDeps } from '../export-handler.ts'
import { createCallHandler } from './call-handler.ts'

export interface GrpcServerDeps extends ExportHandlerDeps {
  /** A client speaks another protocol on this port; told once a minute at most, with a hint. */
  onWrongProtocol(hint: string): void
}

export interface GrpcServer {
  /** To be told where to listen. */
  server: Http2Server
  /** Takes no new connection or call, waits for calls under way, cuts those that take too long. */
  stop(): Promise<void>
}

/** Unread bytes of one call: with 64 kB, HTTP/2's own, a body of a megabyte waits for the round trip sixteen times. */
const STREAM_WINDOW_BYTES = 512 * 1024
const CONNECTION_WINDOW_BYTES = 4 * 1024 ** 2
/** Calls of one connection at once; exporters use some ten. */
const CALLS_MAX = 100
const CONNECTIONS_MAX = 1_000
const HEADERS_MAX_BYTES = 16 * 1024
/** Longer than exporters' intervals. An idle connection is ended with GOAWAY, upon which clients connect again unseen. */
const IDLE_MS = 300_000
/** Calls under way get this long to end, in ms: the promise is 10 s for stopping all of the process. */
const STOP_GRACE_MS = 7_000
const HINT_EVERY_MS = 60_000
/** nghttp2's NGHTTP2_ERR_BAD_CLIENT_MAGIC: the connection did not open with HTTP/2's preface. */
const BAD_CLIENT_MAGIC = -903

/**
 * OTLP/gRPC on Node's own HTTP/2. A general gRPC server hands over a message only when it has read and inflated all of
 * it; here the key is judged and room is taken before that, as over HTTP, and the bytes go the same way from there.
 * HTTP/2 PINGs are answered at any sane rate: there is no policy that could end a connection for them.
 */
export function createGrpcServer(deps: GrpcServerDeps): GrpcServer {
  const server = createServer({
    settings: {
      initialWindowSize: STREAM_WINDOW_BYTES,
      maxConcurrentStreams: CALLS_MAX,
      maxHeaderListSize: HEADERS_MAX_BYTES,
    },
  })
  server.maxConnections = CONNECTIONS_MAX
  const sessions = new Set<ServerHttp2Session>()
  server.on('session', (session) => {
    sessions.add(session)
    session.once('close', () => sessions.delete(session))
    session.setLocalWindowSize(CONNECTION_WINDOW_BYTES)
    session.setTimeout(IDLE_MS, () => session.close())
  })
  const handleCall = createCallHandler(deps)
  server.on('stream', (stream, headers, _flags, rawHeaders) => handleCall(stream, headers, rawHeaders))
  server.on('sessionError', createHinter(deps))
  return { server, stop: () => stopServer(server, sessions) }
}

function createHinter({ onWrongProtocol, monotonicMs }: GrpcServerDeps): (error: Error) => void {
  let hintedAtMs = Number.NEGATIVE_INFINITY
  return (error) => {
    if ((error as { errno?: number }).errno !== BAD_CLIENT_MAGIC || monotonicMs() - hintedAtMs < HINT_EVERY_MS) return
    hintedAtMs = monotonicMs()
    onWrongProtocol(
      'a client speaks something other than gRPC without TLS on the OTLP/gRPC port; OTLP/HTTP has a port of its own',
    )
  }
}

function stopServer(server: Http2Server, sessions: ReadonlySet<ServerHttp2Session>): Promise<void> {
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
