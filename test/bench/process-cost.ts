import { readFileSync } from 'node:fs'

/** Linux counts processor time in hundredths of a second for every program. */
const TICKS_PER_SECOND = 100
const UTIME = 11
const STIME = 12

/** Processor time that a process has used so far with all its threads, in s. NaN where /proc is not to be had. */
export function cpuSeconds(pid: number): number {
  const fields = read(`/proc/${pid}/stat`)
    ?.replace(/^.*\) /s, '')
    .split(' ')
  return fields ? (Number(fields[UTIME]) + Number(fields[STIME])) / TICKS_PER_SECOND : Number.NaN
}

/** The most memory that a process has held, in MB. */
export function peakMemoryMb(pid: number): number {
  return Number(/VmHWM:\s+(\d+)/.exec(read(`/proc/${pid}/status`) ?? '')?.[1] ?? Number.NaN) / 1024
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}
