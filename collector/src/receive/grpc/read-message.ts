import type { ServerHttp2Stream } from 'node:http2'
import type { InFlight, Room } from '../../admit/in-flight.ts'
import type { Compression } from '../content-encoding.ts'
import { type Refusal, refused } from '../outcome.ts'
import { type BodyLimits, SenderGoneError } from '../read-body.ts'
import { type AnnouncedMessage, judgePrefix, PREFIX_BYTES } from './message-frame.ts'

/** The one message of a call, in memory of its own (it may be transferred to a worker), with its share of the bytes under way. */
export interface ReceivedMessage {
  kind: 'received'
  bytes: Uint8Array
  compression: Compression
  room: Room
}

/**
 * Reads a unary call's message. Its length comes first, so a message that is too large is refused and room is taken
 * before it is read; until there is room, the stream's window holds the sender back. Rejects with SenderGoneError where
 * the stream ends first.
 */
export async function readMessage(
  stream: ServerHttp2Stream,
  encoding: string | undefined,
  projectNo: number,
  inFlight: InFlight,
  limits: BodyLimits,
): Promise<ReceivedMessage | Refusal> {
  const prefix = new Uint8Array(PREFIX_BYTES)
  const first = await fillPrefix(stream, prefix, limits)
  if (!(first instanceof Uint8Array)) return first
  const announced = judgePrefix(prefix, encoding, limits.bodyMaxBytes)
  if ('kind' in announced) return announced
  const room = await inFlight.acquire(projectNo, announced.bytes)
  if (!room) return refused('in_flight_full', 'too many bytes are under way; try again')
  try {
    const bytes = await fillMessage(stream, announced, first, { ...limits, onReceived: inFlight.noteReceived })
    if (bytes instanceof Uint8Array) return { kind: 'received', bytes, compression: announced.compression, room }
    room.release()
    return bytes
  } catch (error) {
    room.release()
    throw error
  }
}

/** Answers what came behind the prefix, and leaves the stream paused. */
async function fillPrefix(stream: ServerHttp2Stream, prefix: Uint8Array, limits: BodyLimits): Promise<Uint8Array | Refusal> {
  let filled = 0
  let rest: Uint8Array = EMPTY
  const outcome = await consume(stream, limits, (chunk) => {
    const part = chunk.subarray(0, PREFIX_BYTES - filled)
    prefix.set(part, filled)
    filled += part.length
    rest = chunk.subarray(part.length)
    return filled === PREFIX_BYTES ? 'enough' : 'more'
  })
  if (outcome === 'ended') return INCOMPLETE
  return outcome === 'enough' ? rest : outcome
}

async function fillMessage(
  stream: ServerHttp2Stream,
  { bytes }: AnnouncedMessage,
  first: Uint8Array,
  limits: BodyLimits & { onReceived(bytes: number): void },
): Promise<Uint8Array | Refusal> {
  if (first.length > bytes) return SECOND_MESSAGE
  // Memory of no pool, and not zeroed, since all of it is overwritten.
  const block = new Uint8Array(Buffer.allocUnsafeSlow(bytes).buffer, 0, bytes)
  block.set(first)
  let filled = first.length
  const outcome = await consume(stream, limits, (chunk) => {
    if (filled + chunk.length > bytes) return SECOND_MESSAGE
    block.set(chunk, filled)
    filled += chunk.length
    limits.onReceived(chunk.length)
    return 'more'
  })
  if (outcome === 'ended') return filled === bytes ? block : INCOMPLETE
  return outcome === 'enough' ? block : outcome
}

const EMPTY = new Uint8Array(0)
const INCOMPLETE = refused('incomplete_body', 'the call ended before its message')
const SECOND_MESSAGE = refused('malformed_encoding', 'bytes after the end of the message')
const TOO_SLOW = refused('slow_body', 'the message came too slowly')

type Wanted = 'more' | 'enough' | Refusal

/** Feeds chunks to `take` until the end or until it has enough; then the stream is paused. Too slow is a refusal. */
function consume(
  stream: ServerHttp2Stream,
  { progressMs, progressMinBytes, periodsMax }: BodyLimits,
  take: (chunk: Uint8Array) => Wanted,
): Promise<'ended' | 'enough' | Refusal> {
  return new Promise((resolve, reject) => {
    if (stream.destroyed || stream.aborted) return reject(new SenderGoneError('the sender ended the call'))
    let sinceCheck = 0
    let periods = 0
    const watch = setInterval(() => {
      if (sinceCheck < progressMinBytes || ++periods >= periodsMax) settle(() => resolve(TOO_SLOW))
      sinceCheck = 0
    }, progressMs)
    const onData = (chunk: Uint8Array) => {
      sinceCheck += chunk.length
      const wanted = take(chunk)
      if (wanted !== 'more') settle(() => resolve(wanted))
    }
    const onEnd = () => settle(() => (stream.aborted ? reject(new SenderGoneError('the call was cancelled')) : resolve('ended')))
    const onGone = () => settle(() => reject(new SenderGoneError('the sender ended the call')))
    function settle(finish: () => void): void {
      clearInterval(watch)
      stream.off('data', onData).off('end', onEnd).off('aborted', onGone).off('close', onGone)
      stream.pause()
      finish()
    }
    stream.on('data', onData).on('end', onEnd).on('aborted', onGone).on('close', onGone)
    stream.resume()
  })
}
