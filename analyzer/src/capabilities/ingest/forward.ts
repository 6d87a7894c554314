import { Agent, request as httpRequest, type IncomingMessage } from 'node:http'
import { encodeStatus } from '@loopkit/shared/otlp/responses'
import { endUnread } from '@loopkit/shared/runtime/end-unread'
import type { Request, Response } from 'express'
import { presentedKey } from '../../http/auth.ts'
import type { StreamRoute } from '../../http/door.ts'
import { answeredHeaders, forwardedHeaders } from './forward-headers.rules.ts'

export interface CollectorAddress {
  host: string
  port: number
  /** What the collector's paths start with. */
  pathPrefix: string
  /** A file that it listens on, in place of host and port. */
  socketPath?: string
}

/** Where the collector listens now, or null while it is not known. */
export type FindCollector = () => CollectorAddress | null

/** How long the collector may be silent, in ms: longer than its own answer when it is full. */
const SILENCE_MS = 30_000
const SOCKETS_MAX = 256
/** google.rpc.Code, which exporters read: INVALID_ARGUMENT is given up, UNAVAILABLE is tried again. */
const INVALID_ARGUMENT = 3
const UNAVAILABLE = 14

/**
 * Passes a request on byte for byte as it arrives, no faster than the collector reads, and the answer back the same way.
 * With no collector to answer: 503 with a google.rpc.Status in the request's encoding, and Retry-After.
 */
export function createForward(findCollector: FindCollector): { handle: StreamRoute['handle']; close: () => void } {
  const agent = new Agent({ keepAlive: true, maxSockets: SOCKETS_MAX })
  const handle: StreamRoute['handle'] = (request, response, facts) => {
    if (!hasOneKeyAtMost(request))
      return refuse(request, response, { status: 400, code: INVALID_ARGUMENT, message: 'send one key, once' })
    const collector = findCollector()
    if (!collector) return unavailable(request, response)
    const { host, port, pathPrefix, socketPath } = collector
    const upstream = httpRequest({
      ...(socketPath === undefined ? { host, port } : { socketPath }),
      agent,
      method: request.method,
      path: pathPrefix + (facts.route ?? request.path),
      headers: forwardedHeaders(request.headers, facts.loopback),
    })
    upstream.setTimeout(SILENCE_MS, () => upstream.destroy(new Error('the collector was silent')))
    upstream.on('error', () => {
      // An answer that came before the whole body was read is whole all the same.
      if (!response.headersSent) unavailable(request, response)
    })
    upstream.on('response', (answer) => passBack(answer, request, response))
    response.on('close', () => {
      if (!response.writableFinished) upstream.destroy()
    })
    request.pipe(upstream)
  }
  return { handle, close: () => agent.destroy() }
}

function hasOneKeyAtMost(request: Request): boolean {
  try {
    presentedKey(request)
    return true
  } catch {
    return false
  }
}

function passBack(answer: IncomingMessage, request: Request, response: Response): void {
  for (const [name, value] of Object.entries(answeredHeaders(answer.headers)))
    if (value !== undefined) response.setHeader(name, value)
  response.statusCode = answer.statusCode ?? 502
  answer.on('error', () => response.destroy())
  if (request.complete) return void answer.pipe(response)
  request.unpipe()
  const chunks: Buffer[] = []
  answer.on('data', (chunk: Buffer) => chunks.push(chunk))
  answer.on('end', () => answerUnread(request, response, Buffer.concat(chunks)))
}

/** Nobody wants the rest of the body: the connection ends with the answer, which is small. */
function answerUnread(request: Request, response: Response, body: Uint8Array): void {
  response.setHeader('connection', 'close')
  response.setHeader('content-length', body.length)
  response.writeHead(response.statusCode)
  endUnread(request, response, body)
}

function unavailable(request: Request, response: Response): void {
  response.setHeader('retry-after', '1')
  refuse(request, response, { status: 503, code: UNAVAILABLE, message: 'the collector is not there; try again' })
}

function refuse(
  request: Request,
  response: Response,
  { status, code, message }: { status: number; code: number; message: string },
): void {
  const isJson = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase() === 'application/json'
  const body = encodeStatus({ code, message }, isJson ? 'json' : 'protobuf')
  response.setHeader('content-type', isJson ? 'application/json' : 'application/x-protobuf')
  response.statusCode = status
  request.unpipe()
  if (!request.complete) return void answerUnread(request, response, body)
  response.setHeader('content-length', body.length)
  response.end(Buffer.from(body))
}
