import { createHash } from 'node:crypto'
import { chmodSync, closeSync, fsyncSync, lstatSync, openSync, readSync, writeSync } from 'node:fs'

const CHUNK_BYTES = 4 * 1024 ** 2
const FILE_MODE = 0o600

export interface FileSum {
  bytes: number
  sha256: string
}

/** What a file holds, read through in pieces. */
export function sumOf(path: string): FileSum {
  const hash = createHash('sha256')
  let bytes = 0
  eachChunk(path, (chunk) => {
    hash.update(chunk)
    bytes += chunk.length
  })
  return { bytes, sha256: hash.digest('hex') }
}

/** Copies in pieces and answers what was copied; the copy is on disk, and its owner's alone. */
export function copyWithSum(from: string, to: string): FileSum {
  const hash = createHash('sha256')
  let bytes = 0
  const file = openSync(to, 'wx', FILE_MODE)
  try {
    eachChunk(from, (chunk) => {
      hash.update(chunk)
      bytes += chunk.length
      for (let at = 0; at < chunk.length; ) at += writeSync(file, chunk, at)
    })
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  return { bytes, sha256: hash.digest('hex') }
}

/** Puts a finished file on disk, for its owner alone. */
export function settleFile(path: string): void {
  chmodSync(path, FILE_MODE)
  const file = openSync(path, 'r')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** A link may point anywhere: only what lies there itself counts. */
export function isRegularFile(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isFile() ?? false
}

function eachChunk(path: string, take: (chunk: Uint8Array) => void): void {
  const file = openSync(path, 'r')
  try {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES)
    for (let read = readSync(file, chunk); read > 0; read = readSync(file, chunk)) take(chunk.subarray(0, read))
  } finally {
    closeSync(file)
  }
}
