import { callApi, until } from '../harness/http.ts'
import { createLoopDisk } from './fault-disk.ts'
import { createFaultRig, type KeptPromise } from './fault-rig.ts'

export interface ReadOnlyReport extends KeptPromise {
  refused: number
  /** Answers on the read-only disk that were neither 200 nor a 503 that says when to come again; none is none. */
  wrongAnswers: number
  answerMaxMs: number
  readsFailed: number
  /** 'running', or 70 where the disk failed an fsync first: then only a restart helps. */
  state: 'running' | number | null
}

const LOAD_MS = 700
const READ_ONLY_MS = 1_500

/** The kernel turns the collector's disk read-only under load; it refuses, reads go on, and a sound disk brings it back. */
export async function runReadOnly(): Promise<ReadOnlyReport> {
  const disk = createLoopDisk()
  try {
    const rig = await createFaultRig(disk.dataDir)
    try {
      const endLoad = rig.load()
      await wait(LOAD_MS)
      disk.turnReadOnly()
      await until('a refusal', () => (rig.answers.at(-1)?.status === 503 ? true : null))
      const known = rig.answers.length
      let readsFailed = 0
      for (const endMs = performance.now() + READ_ONLY_MS; performance.now() < endMs; await wait(50)) {
        const answer = await callApi(`${rig.analyzerUrl()}/v1/telemetry?limit=5`, { key: rig.keys.agent_key }).catch(() => null)
        if (answer?.status !== 200) readsFailed++
      }
      const seen = rig.answers.slice(known)
      const isRefusal = ({ status, retryAfter }: (typeof seen)[number]) => status === 503 && Number(retryAfter) > 0
      const state = await Promise.race([rig.collector().ended(), wait(0).then(() => 'running' as const)])
      await Promise.all([rig.collector().end('SIGKILL'), rig.endAnalyzer()])
      disk.replug()
      await rig.startAnalyzer()
      await rig.startCollector()
      await wait(LOAD_MS)
      await endLoad()
      return {
        ...(await rig.check()),
        refused: seen.filter(isRefusal).length,
        wrongAnswers: seen.filter((answer) => answer.status !== 0 && answer.status !== 200 && !isRefusal(answer)).length,
        answerMaxMs: Math.round(Math.max(0, ...seen.map(({ sentMs, answeredMs }) => answeredMs - sentMs))),
        readsFailed,
        state,
      }
    } finally {
      await rig.end()
    }
  } finally {
    disk.remove()
  }
}

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
