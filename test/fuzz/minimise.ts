import type { FuzzBody } from './draw-body.ts'

const TRIES_MAX = 4_000

/** The smallest part of a body found for which `fails` still says true. */
export function minimise(body: FuzzBody, fails: (smaller: FuzzBody) => boolean): FuzzBody {
  if (body.encoding === 'both')
    return { encoding: 'both', request: withoutParts(body.request, (request) => fails({ encoding: 'both', request })) }
  return { ...body, bytes: withoutRanges(body.bytes, (bytes) => fails({ ...body, bytes })) }
}

/** Takes out ranges, large ones first (the first half of Zeller's ddmin). */
function withoutRanges(bytes: Buffer, fails: (smaller: Buffer) => boolean): Buffer {
  let left = bytes
  let tries = 0
  for (let size = bytes.length >> 1; size >= 1 && tries < TRIES_MAX; size = Math.min(size >> 1, left.length)) {
    for (let at = 0; at < left.length && tries < TRIES_MAX; tries++) {
      const smaller = Buffer.concat([left.subarray(0, at), left.subarray(at + size)])
      if (fails(Buffer.from(smaller))) left = smaller
      else at += size
    }
  }
  return left
}

/** Takes elements out of lists and members out of objects, one at a time, from the outside in. */
function withoutParts<T extends object>(value: T, fails: (smaller: T) => boolean): T {
  const left = structuredClone(value)
  const queue: object[] = [left]
  for (let part = queue.shift(); part !== undefined; part = queue.shift()) {
    for (const key of Object.keys(part).reverse())
      removeIfStillFailing(part as Record<string, unknown>, key, () => fails(structuredClone(left)))
    queue.push(...Object.values(part).filter((inner): inner is object => typeof inner === 'object' && inner !== null))
  }
  return left
}

function removeIfStillFailing(part: Record<string, unknown>, key: string, stillFails: () => boolean): void {
  const removed = part[key]
  if (Array.isArray(part)) part.splice(Number(key), 1)
  else delete part[key]
  if (stillFails()) return
  if (Array.isArray(part)) part.splice(Number(key), 0, removed)
  else part[key] = removed
}
