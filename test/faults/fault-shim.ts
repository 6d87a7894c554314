import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** What `fault-shim.c` can do at a call instead of it, or around it. */
export const ACTION = {
  none: 0,
  killBefore: -1,
  killAfter: -2,
  swallow: -3,
  EIO: constants.errno.EIO,
  ENOSPC: constants.errno.ENOSPC,
  EROFS: constants.errno.EROFS,
} as const

/** In the order of `struct faults`, 32 bits each. */
const SHIM_FIELDS = [
  'syncAction',
  'syncAfter',
  'syncTimes',
  'syncDelayMs',
  'writeAction',
  'writeAfter',
  'writeTimes',
  'syncs',
  'writes',
  'hits',
  'hitThread',
] as const
type ShimField = (typeof SHIM_FIELDS)[number]

export interface FaultShim {
  /** For the process whose disk is to fail. */
  env: Record<string, string>
  /** From the next call on; what is not named stays as it is. Times below zero: for ever. */
  set(values: Partial<Record<ShimField, number>>): void
  read(field: ShimField): number
  /** No faults, and no calls counted. */
  clear(): void
  remove(): void
}

/** Why the shim cannot be had on this machine, or null. */
export function whyNoShim(): string | null {
  if (process.platform !== 'linux') return 'LD_PRELOAD shims need Linux'
  try {
    execFileSync('cc', ['--version'], { stdio: 'ignore' })
    return null
  } catch {
    return 'there is no C compiler (cc)'
  }
}

/** Compiles a C file of this folder into `out`. */
export function compile(source: string, out: string, ...options: string[]): string {
  execFileSync('cc', ['-O2', '-Wall', ...options, '-o', out, fileURLToPath(new URL(source, import.meta.url)), '-ldl'])
  return out
}

/** Builds the shim for files whose path ends with `suffix`; '' for every file. */
export function createFaultShim(suffix: string): FaultShim {
  const folder = mkdtempSync(join(tmpdir(), 'loopkit-shim-'))
  const library = compile('fault-shim.c', join(folder, 'fault-shim.so'), '-shared', '-fPIC')
  const path = join(folder, 'faults')
  const file = openSync(path, 'w+')
  writeSync(file, Buffer.alloc(SHIM_FIELDS.length * 4), 0, undefined, 0)
  const at = (field: ShimField) => SHIM_FIELDS.indexOf(field) * 4
  const word = Buffer.alloc(4)
  const put = (field: ShimField, value: number) => {
    word.writeInt32LE(value)
    writeSync(file, word, 0, 4, at(field))
  }
  return {
    env: { LD_PRELOAD: library, FAULT_SHIM_FILE: path, FAULT_SHIM_SUFFIX: suffix },
    set(values) {
      // Counters first: an action is in force as soon as it is written.
      const entries = Object.entries(values) as [ShimField, number][]
      for (const [field, value] of entries.sort(([a], [b]) => Number(a.endsWith('Action')) - Number(b.endsWith('Action'))))
        put(field, value)
    },
    read(field) {
      readSync(file, word, 0, 4, at(field))
      return word.readInt32LE()
    },
    clear() {
      for (const field of SHIM_FIELDS.toReversed()) put(field, 0)
    },
    remove() {
      closeSync(file)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
