import type { IncomingMessage, ServerResponse } from 'node:http'
import { encodeExportResponse, encodeStatus } from '@loopkit/shared/otlp/responses'
import { endUnread } from '@loopkit/shared/runtime/end-unread'
import type { InFlight } from '../admit/in-flight.ts'
import type { Pipeline } from '../admit/pipeline.ts'
import type { Authenticator } from './authenticate.ts'
import { ACCEPTED_ENCODINGS, type Compression, parseContentEncoding } from './content-encoding.ts'
import { MEDIA_TYPES, parseContentType } from './content-type.ts'
import { readCredentials } from './credentials.ts'
import {
  describeRefusal,
  type Encoding,
  type Outcome,
  type Refusal,
  refused,
  type Signal,
  statusOfRefusal,
  type Transport,
} from './outcome.ts'
import { type BodyLimits, type ReceivedBody, readBody, SenderGoneError } from './read-body.ts'

export interface ExportHandlerDeps {
  authenticator: Authenticator
  pipeline: Pipeline
  inFlight: InFlight
  bodyLimits: BodyLimits
  /** Whether a request comes from this machine, by the address of its socket. */
  isLocal(address: string | undefined): boolean
  isStopping(): boolean
  monotonicMs(): number
  onRefused(transport: Transport, signal: Signal, code: string): void
  /** An accepted request; `ms` from its body read to its answer. */
  onAnswered(ms: number): void
  onError(error: Error): void
}

export interface ExportExchange {
  request: IncomingMessage
  response: ServerResponse
  signal: Signal
  /** The sender waits for `100 Continue` before it sends the body. */
  expectsContinue: boolean
}

/** Answers one export request. Never rejects: what goes wrong is answered, told to `onError`, or nobody is there to hear. */
export type ExportHandler = (exchange: ExportExchange) => Promise<void>

export function createExportHandler(deps: ExportHandlerDeps): ExportHandler {
  return async (exchange) => {
    const encoding = parseContentType(exchange.request.headers['content-type'])
    try {
      const outcome = encoding ? await takeExport(deps, exchange, encoding) : UNKNOWN_MEDIA_TYPE
      if (outcome.kind === 'refused') deps.onRefused(TRANSPORT, exchange.signal, outcome.code)
      answer(deps, exchange, outcome, encoding ?? 'json')
    } catch (error) {
      if (error instanceof SenderGoneError) return
      deps.onError(error as Error)
      answer(deps, exchange, refused('internal', 'the request could not be handled'), encoding ?? 'json')
    }
  }
}

const TRANSPORT = 'http'
const UNKNOWN_MEDIA_TYPE = refused(
  'media_type_unsupported',
  `supported media types: ${MEDIA_TYPES.protobuf}, ${MEDIA_TYPES.json} (UTF-8)`,
)

async function takeExport(deps: ExportHandlerDeps, exchange: ExportExchange, encoding: Encoding): Promise<Outcome> {
  const { request, signal } = exchange
  if (deps.isStopping()) return refused('stopping', 'the collector is stopping')
  const caller = deps.authenticator.authenticate(readCredentials(request.rawHeaders), deps.isLocal(request.socket.remoteAddress))
  if ('kind' in caller) return caller
  const received = await receiveBody(deps, exchange, caller.projectNo)
  if (received.kind === 'refused') {
    deps.pipeline.noteRefused(caller, received.code)
    return received
  }
  const { bytes, compression, room } = received
  const userAgent = request.headers['user-agent'] ?? ''
  const receivedMs = deps.monotonicMs()
  try {
    const outcome = await deps.pipeline.accept({
      transport: TRANSPORT,
      signal,
      encoding,
      compression,
      body: bytes,
      caller,
      userAgent,
      room,
    })
    if (outcome.kind === 'accepted') deps.onAnswered(deps.monotonicMs() - receivedMs)
    return outcome
  } finally {
    room.release()
  }
}

async function receiveBody(
  { inFlight, bodyLimits }: ExportHandlerDeps,
  { request, response, expectsContinue }: ExportExchange,
  projectNo: number,
): Promise<(ReceivedBody & { compression: Compression }) | Refusal> {
  const compression = parseContentEncoding(request.headers['content-encoding'])
  if (!compression) return refused('encoding_unsupported', `supported encodings: ${ACCEPTED_ENCODINGS}`)
  const received = await readBody(request, projectNo, inFlight, bodyLimits, () => {
    if (expectsContinue) response.writeContinue()
  })
  return received.kind === 'refused' ? received : { ...received, compression }
}

/** Puts an outcome into HTTP: exact content types, since exporters compare them by equality. */
function answer(
  { inFlight }: ExportHandlerDeps,
  { request, response, signal, expectsContinue }: ExportExchange,
  outcome: Outcome,
  encoding: Encoding,
): void {
  if (response.headersSent || response.destroyed) return
  const body =
    outcome.kind === 'accepted'
      ? encodeExportResponse(signal, { rejected: outcome.rejected, message: outcome.message }, encoding)
      : encodeStatus(statusOfRefusal(outcome), encoding)
  const status = outcome.kind === 'accepted' ? 200 : describeRefusal(outcome.code).status
  const isUnread = !request.complete && status !== 200
  response.writeHead(status, {
    'content-type': MEDIA_TYPES[encoding],
    'content-length': body.length,
    ...(outcome.kind === 'refused' && refusalHeaders(outcome)),
    // A body that was not read to its end cannot be followed by another request.
    ...(isUnread && { connection: 'close' }),
  })
  // Who waits for `100 Continue` sends nothing more.
  if (isUnread && !expectsContinue) endUnread(request, response, body, inFlight.noteReceived)
  // Without a chunk the head is one write; an empty chunk makes it a vector of two.
  else if (body.length === 0) response.end()
  else response.end(body)
}

function refusalHeaders({ code }: Refusal): Record<string, string> {
  const { status, retryAfterS } = describeRefusal(code)
  return {
    ...(retryAfterS !== undefined && { 'retry-after': String(retryAfterS) }),
    ...(status === 401 && { 'www-authenticate': 'Bearer' }),
    ...(code === 'encoding_unsupported' && { 'accept-encoding': ACCEPTED_ENCODINGS }),
  }
}

export function isLoopback(address: string | undefined): boolean {
  return address !== undefined && (address === '::1' || /^(::ffff:)?127\./.test(address))
}
