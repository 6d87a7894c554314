import { expect, test } from '@jest/globals'
import { createInFlight } from './in-flight.ts'

const MIB = 1024 ** 2

test('a body that fits is let in at once, one that does not waits for room', async () => {
  const inFlight = createInFlight({ maxBytes: 10 * MIB })
  const first = await inFlight.acquire(8 * MIB)
  const second = inFlight.acquire(4 * MIB)
  expect(inFlight.bytes()).toBe(8 * MIB)
  first?.release()
  expect(await second).not.toBeNull()
  expect(inFlight.bytes()).toBe(4 * MIB)
})

test('a body that waits in vain is refused, and its place is free again', async () => {
  const inFlight = createInFlight({ maxBytes: 10 * MIB, waitMaxMs: 5 })
  const first = await inFlight.acquire(10 * MIB)
  expect(await inFlight.acquire(1)).toBeNull()
  first?.release()
  first?.release()
  expect(inFlight.bytes()).toBe(0)
  expect(await inFlight.acquire(10 * MIB)).not.toBeNull()
})

test('a body larger than all room is let in alone', async () => {
  const inFlight = createInFlight({ maxBytes: 32 * MIB, waitMaxMs: 5 })
  const large = await inFlight.acquire(64 * MIB)
  expect(large).not.toBeNull()
  expect(await inFlight.acquire(20 * MIB)).toBeNull()
  large?.release()
  expect(await inFlight.acquire(20 * MIB)).not.toBeNull()
})

test('what decompression added is given back too', async () => {
  const inFlight = createInFlight({ maxBytes: 10 * MIB })
  const room = await inFlight.acquire(MIB)
  room?.grow(7 * MIB)
  expect(inFlight.bytes()).toBe(8 * MIB)
  room?.release()
  expect(inFlight.bytes()).toBe(0)
})
