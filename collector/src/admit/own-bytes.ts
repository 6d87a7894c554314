/**
 * The bytes in memory of their own, copied only where they share it: small Buffers lie in Node's pool, which must not
 * be transferred to a worker, and a view of a large block would take all of it along.
 */
export function ownBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  if (bytes.byteLength === bytes.buffer.byteLength && bytes.buffer instanceof ArrayBuffer)
    return new Uint8Array(bytes.buffer, 0, bytes.byteLength)
  const own = new Uint8Array(bytes.byteLength)
  own.set(bytes)
  return own
}
