import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import { encodeExportResponse } from '@loopkit/shared/otlp/responses'
import { readCredentials } from '../credentials.ts'
import type { ExportHandlerDeps } from '../export-handler.ts'
import { type Outcome, type Refusal, refused, type Signal } from '../outcome.ts'
import { SenderGoneError } from '../read-body.ts'
import { parseCallTimeoutMs } from './call-timeout.ts'
import { ACCEPTED_GRPC_ENCODINGS, frameMessage } from './message-frame.ts'
import { readMessage } from './read-message.ts'
import { refusalTrailers } from './refusal-trailers.ts'

export type CallHandler = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, rawHeaders: readonly string[]) => void

interface Call {
  stream: ServerHttp2Stream
  headers: IncomingHttpHeaders
  rawHeaders: readonly string[]
  signal: Signal
}

const SERVICES = 'opentelemetry.proto.collector'
const METHODS: ReadonlyMap<string, Signal> = new Map([
  [`/${SERVICES}.trace.v1.TraceService/Export`, 'traces'],
  [`/${SERVICES}.logs.v1.LogsService/Export`, 'logs'],
  [`/${SERVICES}.metrics.v1.MetricsService/Export`, 'metrics'],
])

const TRANSPORT = 'grpc'
const HEADERS = { ':status': 200, 'content-type': 'application/grpc' } as const
const SUCCESS_HEADERS = { ...HEADERS, 'grpc-accept-encoding': ACCEPTED_GRPC_ENCODINGS } as const
const UNIMPLEMENTED = { ...HEADERS, 'grpc-status': '12', 'grpc-message': 'no such method; OTLP services have Export' } as const
const DEADLINE_PASSED = refused('deadline_exceeded', 'the deadline of the call has passed')

/** Answers one call. Never throws: what goes wrong is answered, told to `onError`, or nobody is there to hear. */
export function createCallHandler(deps: ExportHandlerDeps): CallHandler {
  return (stream, headers, rawHeaders) => {
    // What breaks a stream shows as its early end; without a listener it would end the process.
    stream.on('error', ignore)
    try {
      const status = httpStatusOf(headers)
      const signal = METHODS.get(headers[':path'] ?? '')
      if (status !== 200) answerBare(stream, { ':status': status })
      else if (!signal) answerBare(stream, UNIMPLEMENTED)
      else void answerExport(deps, { stream, headers, rawHeaders, signal })
    } catch (error) {
      deps.onError(error as Error)
    }
  }
}

/** What is no gRPC call is answered in HTTP (gRPC over HTTP/2, "Requests"). */
function httpStatusOf(headers: IncomingHttpHeaders): number {
  if (!/^application\/grpc(\+proto)?\s*(;|$)/i.test(headers['content-type'] ?? '')) return 415
  return headers[':method'] === 'POST' ? 200 : 405
}

async function answerExport(deps: ExportHandlerDeps, call: Call): Promise<void> {
  const { stream, headers, signal } = call
  const refuse = (refusal: Refusal) => {
    if (isAnswered(stream)) return
    deps.onRefused(TRANSPORT, signal, refusal.code)
    answerBare(stream, { ...HEADERS, ...refusalTrailers(refusal) })
  }
  const timeoutMs = parseCallTimeoutMs(headers['grpc-timeout'] as string | undefined)
  const deadline = timeoutMs === null ? undefined : setTimeout(refuse, timeoutMs, DEADLINE_PASSED)
  try {
    const outcome = await takeExport(deps, call)
    if (outcome.kind === 'refused') refuse(outcome)
    else answerMessage(stream, encodeExportResponse(signal, outcome, 'protobuf'))
  } catch (error) {
    if (error instanceof SenderGoneError) return
    deps.onError(error as Error)
    refuse(refused('internal', 'the call could not be handled'))
  } finally {
    clearTimeout(deadline)
    // Node keeps a stream, and with it a stopping connection, until what came was read.
    stream.resume()
  }
}

/** The same way as a body over HTTP: key, room, pipeline; only then is the message decompressed and looked into. */
async function takeExport(deps: ExportHandlerDeps, { stream, headers, rawHeaders, signal }: Call): Promise<Outcome> {
  const { authenticator, pipeline, inFlight, bodyLimits, monotonicMs } = deps
  if (deps.isStopping()) return refused('stopping', 'the collector is stopping')
  const caller = authenticator.authenticate(readCredentials(rawHeaders), deps.isLocal(stream.session?.socket.remoteAddress))
  if ('kind' in caller) return caller
  const received = await readMessage(
    stream,
    headers['grpc-encoding'] as string | undefined,
    caller.projectNo,
    inFlight,
    bodyLimits,
  )
  if (received.kind === 'refused') {
    pipeline.noteRefused(caller, received.code)
    return received
  }
  const { bytes, compression, room } = received
  const userAgent = headers['user-agent'] ?? ''
  const receivedMs = monotonicMs()
  try {
    const request = {
      transport: TRANSPORT,
      signal,
      encoding: 'protobuf',
      compression,
      body: bytes,
      caller,
      userAgent,
      room,
    } as const
    const outcome = await pipeline.accept(request)
    if (outcome.kind === 'accepted') deps.onAnswered(monotonicMs() - receivedMs)
    return outcome
  } finally {
    room.release()
  }
}

const isAnswered = (stream: ServerHttp2Stream): boolean => stream.headersSent || stream.destroyed || stream.closed

function answerMessage(stream: ServerHttp2Stream, message: Uint8Array): void {
  if (isAnswered(stream)) return
  stream.respond(SUCCESS_HEADERS, { waitForTrailers: true })
  stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
  stream.end(frameMessage(message))
}

/** Headers only. What the sender still sends is not wanted any more. */
function answerBare(stream: ServerHttp2Stream, headers: Record<string, string | number>): void {
  if (isAnswered(stream)) return
  stream.respond(headers, { endStream: true })
  stream.close(constants.NGHTTP2_NO_ERROR)
}

function ignore(): void {}
