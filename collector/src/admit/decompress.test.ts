import { deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { expect, test } from '@jest/globals'
import { decompress } from './decompress.ts'

const LIMIT = 100_000
const text = Buffer.from('spans '.repeat(1000))

test.each([
  ['gzip', gzipSync(text), 'gzip'],
  ['gzip in several members', Buffer.concat([gzipSync(text.subarray(0, 100)), gzipSync(text.subarray(100))]), 'gzip'],
  ['deflate with its wrapper', deflateSync(text), 'deflate'],
  ['deflate without it', deflateRawSync(text), 'deflate'],
  ['zstd', zstdCompressSync(text), 'zstd'],
  [
    'zstd in several frames',
    Buffer.concat([zstdCompressSync(text.subarray(0, 100)), zstdCompressSync(text.subarray(100))]),
    'zstd',
  ],
  ['identity', text, 'identity'],
] as const)('%s gives the bytes back', (_, body, compression) => {
  const plain = decompress(body, compression, LIMIT)
  expect(plain).toBeInstanceOf(Uint8Array)
  expect(Buffer.from(plain as Uint8Array).equals(text)).toBe(true)
})

test.each([
  ['no byte at all', Buffer.alloc(0), 'gzip', 'malformed_encoding'],
  ['cut short', gzipSync(text).subarray(0, 40), 'gzip', 'malformed_encoding'],
  ['wrong magic', text, 'gzip', 'malformed_encoding'],
  ['a wrong checksum', withoutChecksum(gzipSync(text)), 'gzip', 'malformed_encoding'],
  ['bytes after the end', Buffer.concat([gzipSync(text), Buffer.from('garbage')]), 'gzip', 'malformed_encoding'],
  ['bytes after the end of zlib', Buffer.concat([deflateSync(text), Buffer.from('garbage')]), 'deflate', 'malformed_encoding'],
  ['no byte of zstd', Buffer.alloc(0), 'zstd', 'malformed_encoding'],
  ['zstd cut short', zstdCompressSync(text).subarray(0, 20), 'zstd', 'malformed_encoding'],
  ['a bomb', gzipSync(Buffer.alloc(LIMIT + 1)), 'gzip', 'body_too_large'],
  ['a bomb in small members', Buffer.concat(Array(11).fill(gzipSync(Buffer.alloc(10_000)))), 'gzip', 'body_too_large'],
  ['bytes after the end of zstd', Buffer.concat([zstdCompressSync(text), Buffer.from('garbage')]), 'zstd', 'malformed_encoding'],
  ['a bomb in small frames', Buffer.concat(Array(11).fill(zstdCompressSync(Buffer.alloc(10_000)))), 'zstd', 'body_too_large'],
  ['a flood of frames', Buffer.concat(Array(1001).fill(zstdCompressSync(Buffer.alloc(1)))), 'zstd', 'malformed_encoding'],
  ['a zstd bomb', zstdCompressSync(Buffer.alloc(LIMIT + 1)), 'zstd', 'body_too_large'],
] as const)('%s is refused', (_, body, compression, code) => {
  expect(decompress(body, compression, LIMIT)).toMatchObject({ kind: 'refused', code })
})

function withoutChecksum(gzip: Buffer): Buffer {
  return gzip.fill(0, gzip.length - 8, gzip.length - 4)
}
