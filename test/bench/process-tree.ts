import { readdirSync, readFileSync } from 'node:fs'

/** One process as Linux sees it. */
export interface ProcessUse {
  pid: number
  /** What it runs, for people. */
  name: string
  /** Memory with shared pages divided among those who map them. */
  pssMb: number
  /** Of that, what it alone holds whoever else runs the same programs. */
  anonymousMb: number
  threads: number
  /** Processor time since its start. */
  cpuMs: number
}

/** Of Linux: `times` count in hundredths of a second. */
const TICK_MS = 10
const KB_PER_MB = 1024

/** The process and everything that descends from it, oldest first. Linux only. */
export function readProcessTree(pid: number): ProcessUse[] {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  )
  return [readProcess(pid), ...children.flatMap(readProcessTree)]
}

function readProcess(pid: number): ProcessUse {
  const memory = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  const megabytes = (field: string) => Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(memory)?.[1]) / KB_PER_MB
  // Behind the name in brackets, which may hold anything.
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ')
  const script = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
    .split('\0')
    .find((argument) => /\.(ts|mjs|js)$/.test(argument))
  return {
    pid,
    name: script?.split('/').slice(-3).join('/') ?? 'unknown',
    pssMb: megabytes('Pss'),
    anonymousMb: megabytes('Pss_Anon'),
    threads: Number(stat[17]),
    cpuMs: (Number(stat[11]) + Number(stat[12])) * TICK_MS,
  }
}
