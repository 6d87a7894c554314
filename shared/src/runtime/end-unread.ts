import type { IncomingMessage, ServerResponse } from 'node:http'

/** What is still sent behind an answer is thrown away for so long, and so many bytes, before the connection is closed. */
const LINGER_MS = 2_000
const LINGER_MAX_BYTES = 128 * 1024 ** 2

/**
 * Ends an answer to a request whose body has not come whole. To close at once would reset the connection under a sender
 * that still writes, and many senders then report the reset instead of the answer. `response` must have its head
 * written, with a length and `connection: close`. `onReceived` is told of the bytes that are thrown away.
 */
export function endUnread(
  request: IncomingMessage,
  response: ServerResponse,
  body: Uint8Array,
  onReceived: (bytes: number) => void = () => {},
): void {
  let rest = LINGER_MAX_BYTES
  const timer = setTimeout(end, LINGER_MS)
  function end(): void {
    clearTimeout(timer)
    request.off('data', onData).off('end', end).off('close', end)
    response.end()
  }
  function onData(chunk: Uint8Array): void {
    rest -= chunk.length
    onReceived(chunk.length)
    if (rest < 0) end()
  }
  request.on('data', onData).once('end', end).once('close', end)
  response.write(body)
  request.resume()
}
