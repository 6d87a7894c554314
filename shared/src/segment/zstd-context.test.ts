import { randomBytes } from 'node:crypto'
import { zstdDecompressSync } from 'node:zlib'
import { expect, test } from '@jest/globals'
import { compressOnce, createZstdCompressor } from './zstd-context.ts'

const MIB = 1024 ** 2

test.each([1, 3])('at level %d every piece is a whole frame of its own, whatever came before it', (level) => {
  const compress = createZstdCompressor(level)
  const pieces = [0, 1, 40, 5_000, 131_072, 200_000, 3 * MIB, 17, 9 * MIB, 300].flatMap((size) => [
    Buffer.alloc(size, 'telemetry repeats itself '),
    randomBytes(size),
  ])
  const frames = pieces.map((piece) => compress(piece))
  for (const [at, frame] of frames.entries()) expect(zstdDecompressSync(frame).equals(pieces[at]!)).toBe(true)
})

test('it compresses memory that threads share', () => {
  const shared = new Uint8Array(new SharedArrayBuffer(5_000), 100, 4_000).fill(7)
  expect(zstdDecompressSync(createZstdCompressor(1)(shared)).every((byte) => byte === 7)).toBe(true)
})

test('Node has what the context is kept with: compressing small pieces takes less than half of the time', () => {
  const compress = createZstdCompressor(1)
  const piece = randomBytes(2_000)
  const cpuMs = (work: () => void) => {
    const before = process.cpuUsage()
    for (let n = 0; n < 400; n++) work()
    const { user, system } = process.cpuUsage(before)
    return (user + system) / 1000
  }
  // The least of several: what the process does besides, as collecting, counts too.
  const leastMs = (work: () => void) => Math.min(...Array.from({ length: 5 }, () => cpuMs(work)))
  expect(leastMs(() => compress(piece))).toBeLessThan(leastMs(() => compressOnce(piece, 1)) / 2)
})
