import type { IncomingMessage } from 'node:http'
import type { InFlight, Room } from '../admit/in-flight.ts'
import { type Refusal, refused } from './outcome.ts'

/** A whole body with its share of the bytes under way, which its memory goes back with. It may be moved to a worker. */
export interface ReceivedBody {
  kind: 'received'
  bytes: Uint8Array
  room: Room
}

export interface BodyLimits {
  bodyMaxBytes: number
  /** A body must bring at least `progressMinBytes` in every period of this length, in ms. */
  progressMs: number
  progressMinBytes: number
  /** A body that is not whole after so many periods is too slow all the same. */
  periodsMax: number
}

interface CountedLimits extends BodyLimits {
  onReceived(bytes: number): void
}

/** The sender went away; there is nobody to answer. */
export class SenderGoneError extends Error {
  override readonly name = 'SenderGoneError'
}

/** First room for a body that does not say how long it is; it grows from there. */
const CHUNKED_START_BYTES = 64 * 1024

/**
 * Reads a request's body, counting while it streams: more than the limit is `body_too_large`, no room `in_flight_full`
 * (the body is then left unread), too slow `slow_body`. `onStart` is called before the first byte is awaited.
 * Rejects with SenderGoneError where the connection ends first.
 */
export async function readBody(
  request: IncomingMessage,
  projectNo: number,
  inFlight: InFlight,
  limits: BodyLimits,
  onStart: () => void,
): Promise<ReceivedBody | Refusal> {
  const announced = announcedBytes(request)
  const { bodyMaxBytes } = limits
  if (announced !== null && announced > bodyMaxBytes) return tooLarge(bodyMaxBytes)
  const room = await inFlight.acquire(projectNo, announced ?? CHUNKED_START_BYTES)
  if (!room) return refused('in_flight_full', 'too many bytes are under way; try again')
  const counted = { ...limits, onReceived: inFlight.noteReceived }
  try {
    onStart()
    const body = await (announced === null
      ? collectChunks(request, counted, room)
      : collectAnnounced(request, announced, counted, room))
    if (body instanceof Uint8Array) return { kind: 'received', bytes: body, room }
    room.release()
    return body
  } catch (error) {
    room.release()
    throw error
  }
}

function announcedBytes(request: IncomingMessage): number | null {
  const length = request.headers['content-length']
  if (length === undefined) return request.headers['transfer-encoding'] === undefined ? 0 : null
  return Number(length)
}

function tooLarge(bodyMaxBytes: number): Refusal {
  return refused('body_too_large', `a body may have at most ${bodyMaxBytes} bytes`)
}

/** The length is known: one block, filled in place. Node's parser ends the body at that length. */
async function collectAnnounced(
  request: IncomingMessage,
  length: number,
  limits: CountedLimits,
  room: Room,
): Promise<Uint8Array | Refusal> {
  const block = room.memory(length)
  let filled = 0
  const slow = await consume(request, limits, (chunk) => {
    block.set(chunk, filled)
    filled += chunk.length
    return true
  })
  return slow ?? block
}

async function collectChunks(request: IncomingMessage, limits: CountedLimits, room: Room): Promise<Uint8Array | Refusal> {
  const chunks: Uint8Array[] = []
  let total = 0
  const outcome = await consume(request, limits, (chunk) => {
    total += chunk.length
    if (total > limits.bodyMaxBytes) return false
    if (total > CHUNKED_START_BYTES) room.grow(Math.min(chunk.length, total - CHUNKED_START_BYTES))
    chunks.push(chunk)
    return true
  })
  if (outcome) return outcome
  const block = room.memory(total)
  let at = 0
  for (const chunk of chunks) {
    block.set(chunk, at)
    at += chunk.length
  }
  return block
}

/** Feeds chunks to `take` until the end (null), until `take` says that it is too much, or until the body is too slow. */
function consume(
  request: IncomingMessage,
  { bodyMaxBytes, progressMs, progressMinBytes, periodsMax, onReceived }: CountedLimits,
  take: (chunk: Uint8Array) => boolean,
): Promise<Refusal | null> {
  return new Promise((resolve, reject) => {
    let sinceCheck = 0
    let periods = 0
    const watch = setInterval(() => {
      if (sinceCheck < progressMinBytes || ++periods >= periodsMax)
        settle(() => resolve(refused('slow_body', 'the body came too slowly')))
      sinceCheck = 0
    }, progressMs)
    const onData = (chunk: Uint8Array) => {
      sinceCheck += chunk.length
      onReceived(chunk.length)
      if (!take(chunk)) settle(() => resolve(tooLarge(bodyMaxBytes)))
    }
    const onEnd = () => settle(() => resolve(request.complete ? null : refused('incomplete_body', 'the body ended early')))
    const onGone = () => settle(() => reject(new SenderGoneError('the sender closed the connection')))
    function settle(finish: () => void): void {
      clearInterval(watch)
      request.off('data', onData).off('end', onEnd).off('error', onGone).off('close', onGone)
      request.on('error', ignoreLateError)
      finish()
    }
    request.on('data', onData).on('end', onEnd).on('error', onGone).on('close', onGone)
  })
}

function ignoreLateError(): void {}
