import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compile } from './fault-shim.ts'

export interface ClockShim {
  /** For the processes whose clock is set. */
  env: Record<string, string>
  /** Milliseconds that their time of day is ahead of the machine's, from now on. */
  setOffset(ms: number): void
  remove(): void
}

/** Builds the shim of `clock-shim.c`; monotonic clocks are left alone. */
export function createClockShim(): ClockShim {
  const folder = mkdtempSync(join(tmpdir(), 'loopkit-clock-'))
  const library = compile('clock-shim.c', join(folder, 'clock-shim.so'), '-shared', '-fPIC')
  const path = join(folder, 'offset')
  const file = openSync(path, 'w+')
  const setOffset = (ms: number) => {
    const word = Buffer.alloc(8)
    word.writeBigInt64LE(BigInt(Math.trunc(ms)))
    writeSync(file, word, 0, 8, 0)
  }
  setOffset(0)
  return {
    env: { LD_PRELOAD: library, CLOCK_SHIM_FILE: path },
    setOffset,
    remove() {
      closeSync(file)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
