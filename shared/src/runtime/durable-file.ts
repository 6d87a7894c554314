import { closeSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'

const FILE_MODE = 0o600

/** Puts a small file in place whole or not at all, and on disk: a power cut leaves the old one or the new one. */
export function writeDurably(path: string, content: string | Uint8Array): void {
  const draft = `${path}.draft`
  const file = openSync(draft, 'w', FILE_MODE)
  try {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(draft, path)
  syncFolder(dirname(path))
}

/** What was created, renamed or removed in the folder is on disk. */
export function syncFolder(path: string): void {
  const folder = openSync(path, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
