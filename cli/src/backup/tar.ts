import { closeSync, fsyncSync, openSync, readSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { ExitError, FOLDER_EXIT } from '../exit-error.ts'

/**
 * A backup as one file: POSIX ustar, which any `tar` reads, of plain files only. Written by hand because a set is a handful of
 * files with short names, and no dependency reads and writes it in less code than this.
 */
const BLOCK_BYTES = 512
const CHUNK_BYTES = 4 * 1024 ** 2
/** Largest size that fits the octal field; beyond it GNU's binary form is used, as GNU tar does. */
const OCTAL_MAX = 8 ** 11 - 1
const FILE_MODE = 0o600
const NAME_MAX_BYTES = 100

/** Writes these files below `folder` as one, on disk when it returns. */
export function packTar(target: string, folder: string, names: readonly string[], atMs: number): void {
  const file = openSync(target, 'wx', FILE_MODE)
  try {
    for (const name of names) {
      const path = join(folder, name)
      const { size } = statSync(path)
      writeAll(file, header(name, size, atMs))
      copyInto(file, path, size)
      writeAll(file, Buffer.alloc((BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES))
    }
    writeAll(file, Buffer.alloc(BLOCK_BYTES * 2))
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** Writes each file of the archive to where `placeOf` says; one that it does not place, or that is cut off, is refused. */
export function unpackTar(archive: string, placeOf: (name: string) => string | null): string[] {
  const names: string[] = []
  const file = openSync(archive, 'r')
  try {
    for (;;) {
      const block = readExactly(file, BLOCK_BYTES)
      if (block.every((byte) => byte === 0)) return names
      const { name, size } = readHeader(block)
      const place = placeOf(name)
      if (place === null || names.includes(name))
        throw damaged(`it holds ${JSON.stringify(name)}, which is none of a backup's files`)
      extract(file, place, size)
      names.push(name)
    }
  } finally {
    closeSync(file)
  }
}

function header(name: string, size: number, atMs: number): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES)
  if (Buffer.byteLength(name) > NAME_MAX_BYTES) throw new RangeError(`a name too long for the archive: ${name}`)
  block.write(name, 0)
  block.write('0000600\0', 100)
  block.write('0000000\0', 108)
  block.write('0000000\0', 116)
  if (size <= OCTAL_MAX) block.write(`${size.toString(8).padStart(11, '0')}\0`, 124)
  else {
    block[124] = 0x80
    block.writeBigUInt64BE(BigInt(size), 128)
  }
  block.write(
    `${Math.floor(atMs / 1000)
      .toString(8)
      .padStart(11, '0')}\0`,
    136,
  )
  block.write('0', 156)
  block.write('ustar\x0000', 257)
  block.write(`${checksum(block).toString(8).padStart(6, '0')}\0 `, 148)
  return block
}

/** Over the block with spaces in the place of the sum. */
function checksum(block: Buffer): number {
  let sum = 0
  for (let at = 0; at < BLOCK_BYTES; at++) sum += at >= 148 && at < 156 ? 0x20 : block[at]!
  return sum
}

function readHeader(block: Buffer): { name: string; size: number } {
  const text = (from: number, length: number) =>
    block
      .toString('latin1', from, from + length)
      .split('\0')[0]!
      .trim()
  if (text(257, 5) !== 'ustar' || Number.parseInt(text(148, 8), 8) !== checksum(block))
    throw damaged('it is no archive, or cut off')
  const isFile = block[156] === 0x30 || block[156] === 0
  if (!isFile || text(345, 155) !== '') throw damaged('it holds something that is no plain file')
  const size = block[124] === 0x80 ? Number(block.readBigUInt64BE(128)) : Number.parseInt(text(124, 12), 8)
  if (!Number.isSafeInteger(size) || size < 0) throw damaged('it holds a file without a size')
  return { name: text(0, NAME_MAX_BYTES), size }
}

function copyInto(file: number, path: string, size: number): void {
  const source = openSync(path, 'r')
  try {
    for (let rest = size; rest > 0; ) {
      const chunk = readExactly(source, Math.min(rest, CHUNK_BYTES))
      writeAll(file, chunk)
      rest -= chunk.length
    }
  } finally {
    closeSync(source)
  }
}

function extract(archive: number, place: string, size: number): void {
  const file = openSync(place, 'wx', FILE_MODE)
  try {
    for (let rest = size; rest > 0; ) {
      const chunk = readExactly(archive, Math.min(rest, CHUNK_BYTES))
      writeAll(file, chunk)
      rest -= chunk.length
    }
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  readExactly(archive, (BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES)
}

function readExactly(file: number, bytes: number): Buffer {
  const chunk = Buffer.allocUnsafe(bytes)
  for (let at = 0; at < bytes; ) {
    const read = readSync(file, chunk, at, bytes - at, null)
    if (read === 0) throw damaged('it is cut off')
    at += read
  }
  return chunk
}

function writeAll(file: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at)
}

function damaged(why: string): ExitError {
  return new ExitError(FOLDER_EXIT.damaged, `backup_damaged: the archive cannot be read: ${why}`)
}
