import { execFileSync } from 'node:child_process'
import { until } from '../harness/http.ts'
import type { KeptPromise } from './fault-rig.ts'
import { withFaultRig } from './with-fault-rig.ts'

export interface FileSizeReport extends KeptPromise {
  /** Answers of 503 with Retry-After while no file could grow. */
  refused: number
  wrongAnswers: number
  /** 'running', or how the process ended. */
  state: 'running' | number | null
}

const LOAD_MS = 700
const LIMITED_MS = 1_000
const LIMIT_BYTES = 64 * 1024

export function whyNoFileSizeLimit(): string | null {
  try {
    execFileSync('prlimit', ['--version'], { stdio: 'ignore' })
    return null
  } catch {
    return 'prlimit is missing'
  }
}

/** Under load no file may be written beyond its first kilobytes any more (RLIMIT_FSIZE, EFBIG); then it may again. */
export function runFileSizeLimit(): Promise<FileSizeReport> {
  return withFaultRig(async (rig) => {
    const { pid } = rig.collector()
    const setLimit = (bytes: string) => execFileSync('prlimit', ['--pid', String(pid), `--fsize=${bytes}:`])
    const endLoad = rig.load()
    await wait(LOAD_MS)
    setLimit(String(LIMIT_BYTES))
    const limitedMs = performance.now()
    const state = await Promise.race([rig.collector().ended(), refusedOrLate(rig.answers, limitedMs)])
    const seen = rig.answers.filter(({ sentMs }) => sentMs > limitedMs)
    if (state === 'running') setLimit('unlimited')
    else await rig.startCollector()
    await until('spans to be taken again', () => (rig.answers.at(-1)?.status === 200 ? true : null))
    await wait(LOAD_MS)
    await endLoad()
    const isRefusal = ({ status, retryAfter }: (typeof seen)[number]) => status === 503 && Number(retryAfter) > 0
    return {
      ...(await rig.check()),
      refused: seen.filter(isRefusal).length,
      wrongAnswers: seen.filter((answer) => answer.status !== 0 && answer.status !== 200 && !isRefusal(answer)).length,
      state,
    }
  })
}

async function refusedOrLate(answers: readonly { status: number; sentMs: number }[], sinceMs: number): Promise<'running'> {
  await until('a refusal', () => (answers.some(({ status, sentMs }) => status === 503 && sentMs > sinceMs) ? true : null))
  await wait(LIMITED_MS)
  return 'running'
}

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
