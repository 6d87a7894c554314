import { describe, expect, test } from '@jest/globals'
import { createInFlight } from './in-flight.ts'

const MIB = 1024 ** 2

test('a body that fits is let in at once, one that does not waits for room', async () => {
  const inFlight = createInFlight({ monotonicMs: () => 0, maxBytes: 10 * MIB })
  const first = await inFlight.acquire(1, 8 * MIB)
  const second = inFlight.acquire(1, 4 * MIB)
  expect(inFlight.bytes()).toBe(8 * MIB)
  first?.release()
  expect(await second).not.toBeNull()
  expect(inFlight.bytes()).toBe(4 * MIB)
})

test('a body that waits in vain is refused, and its place is free again', async () => {
  const inFlight = createInFlight({ monotonicMs: () => 0, maxBytes: 10 * MIB, waitMaxMs: 5 })
  const first = await inFlight.acquire(1, 10 * MIB)
  expect(await inFlight.acquire(1, 1)).toBeNull()
  first?.release()
  first?.release()
  expect(inFlight.bytes()).toBe(0)
  expect(await inFlight.acquire(1, 10 * MIB)).not.toBeNull()
})

test('bodies larger than the usual are let in one at a time, beside the others', async () => {
  const inFlight = createInFlight({ monotonicMs: () => 0, maxBytes: 32 * MIB, waitMaxMs: 5 })
  const large = await inFlight.acquire(1, 64 * MIB)
  expect(large).not.toBeNull()
  expect(await inFlight.acquire(1, 20 * MIB)).toBeNull()
  expect(await inFlight.acquire(2, 16 * MIB)).not.toBeNull()
  large?.release()
  expect(await inFlight.acquire(1, 20 * MIB)).not.toBeNull()
})

test('what decompression added is given back too', async () => {
  const inFlight = createInFlight({ monotonicMs: () => 0, maxBytes: 10 * MIB })
  const room = await inFlight.acquire(1, MIB)
  room?.grow(7 * MIB)
  expect(inFlight.bytes()).toBe(8 * MIB)
  room?.release()
  expect(inFlight.bytes()).toBe(0)
})

describe('several projects', () => {
  const SMALL = 256 * 1024
  const together = (waitMaxMs = 1_000) => createInFlight({ maxBytes: 32 * MIB, monotonicMs: () => 0, waitMaxMs })

  test('half of all is left to the others, whoever sends', async () => {
    const inFlight = together(5)
    const flood = await Promise.all(Array.from({ length: 64 }, () => inFlight.acquire(1, SMALL)))
    expect(inFlight.bytes()).toBe(16 * MIB)
    expect(await inFlight.acquire(1, SMALL)).toBeNull()
    expect(await inFlight.acquire(2, 16 * MIB)).not.toBeNull()
    flood[0]?.release()
    expect(await inFlight.acquire(1, SMALL)).not.toBeNull()
  })

  test('who waits is served project by project, however long one line is', async () => {
    const inFlight = createInFlight({ maxBytes: MIB, monotonicMs: () => 0 })
    const first = await inFlight.acquire(9, MIB)
    const served: number[] = []
    for (const projectNo of [1, 1, 1, 1, 2, 3]) {
      void inFlight.acquire(projectNo, MIB).then((room) => {
        served.push(projectNo)
        room?.release()
      })
    }
    first?.release()
    await new Promise((resolve) => setTimeout(resolve, 10))
    expect(served).toEqual([1, 2, 3, 1, 1, 1])
  })

  test('one line cannot take all places', async () => {
    const inFlight = together(5)
    const held = await Promise.all([inFlight.acquire(1, 8 * MIB), inFlight.acquire(1, 8 * MIB)])
    const line = Array.from({ length: 300 }, () => inFlight.acquire(1, MIB))
    expect(await inFlight.acquire(2, MIB)).not.toBeNull()
    expect(await Promise.all(line)).toEqual(Array(300).fill(null))
    for (const room of held) room?.release()
  })
})

test('while memory is short one body after the other goes on', async () => {
  let pressed = true
  const inFlight = createInFlight({ maxBytes: 32 * MIB, monotonicMs: () => 0, isPressed: () => pressed, waitMaxMs: 5 })
  const one = await inFlight.acquire(1, 8 * MIB)
  expect(one).not.toBeNull()
  expect(await inFlight.acquire(2, MIB)).toBeNull()
  one?.release()
  const small = await inFlight.acquire(1, MIB)
  expect(await inFlight.acquire(2, MIB)).not.toBeNull()
  pressed = false
  small?.release()
  expect(await inFlight.acquire(1, 8 * MIB)).not.toBeNull()
})
