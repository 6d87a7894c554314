import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { callApi, until } from '../harness/http.ts'
import { createMemoryDisk } from './fault-disk.ts'
import { createFaultRig, type FaultRig, type KeptPromise } from './fault-rig.ts'

export interface DiskFullReport extends KeptPromise {
  /** Answers of 503 with Retry-After while the disk was full. */
  refused: number
  /** Answers of 200 meanwhile: spans that found room in what was taken before. */
  acknowledgedWhileFull: number
  /** Any other answer, or none. */
  wrongAnswers: number
  answerMaxMs: number
  /** Reads on the full disk that were not answered with 200. */
  readsFailed: number
  reads: number
  /** From space returning to the first 200. */
  resumedAfterMs: number
  crashed: boolean
}

const DISK_MEGABYTES = 192
const LOAD_MS = 1_000
const FILL_CHUNK_BYTES = 1024 ** 2
const FILL_EVERY_MS = 25

/** Fills the small disk under load, keeps it full for `fullMs`, and gives the space back. */
export async function runDiskFull({ fullMs }: { fullMs: number }): Promise<DiskFullReport> {
  const disk = createMemoryDisk(DISK_MEGABYTES)
  try {
    const rig = await createFaultRig(disk.dataDir)
    try {
      const { pid } = rig.collector()
      const endLoad = rig.load(2)
      await pause(LOAD_MS)
      const filler = createFiller(join(dirname(disk.dataDir), 'filler'))
      await untilRefused(rig, filler)
      const seen = await readFromFullDisk(rig, filler, fullMs)
      filler.empty()
      const resumedAfterMs = await untilAccepted(rig)
      await endLoad()
      const crashed = rig.collector().pid !== pid
      return { ...(await rig.check()), ...seen, resumedAfterMs, crashed }
    } finally {
      await rig.end()
    }
  } finally {
    disk.remove()
  }
}

interface Filler {
  /** Takes whatever is free. */
  fill(): void
  empty(): void
}

function createFiller(path: string): Filler {
  const chunk = Buffer.alloc(FILL_CHUNK_BYTES)
  return {
    fill() {
      const file = openSync(path, 'a')
      try {
        for (let bytes = chunk.length; bytes >= 1; ) {
          try {
            if (writeSync(file, chunk, 0, bytes) < bytes) bytes = Math.floor(bytes / 2)
          } catch (error) {
            if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
            bytes = Math.floor(bytes / 2)
          }
        }
      } finally {
        closeSync(file)
      }
    },
    empty: () => rmSync(path),
  }
}

/** What is preallocated still takes spans for a while. */
async function untilRefused(rig: FaultRig, filler: Filler): Promise<void> {
  await until('the full disk to refuse spans', () => {
    filler.fill()
    return rig.answers.at(-1)?.status === 503 ? true : null
  })
}

/** Keeps the disk full, whatever gets free, and reads meanwhile. */
async function readFromFullDisk(rig: FaultRig, filler: Filler, fullMs: number) {
  const seen = { reads: 0, readsFailed: 0 }
  const first = rig.answers.length
  const endMs = performance.now() + fullMs
  while (performance.now() < endMs) {
    filler.fill()
    for (const path of ['/v1/telemetry?limit=5', '/v1/ingest/ledger']) {
      const answer = await callApi(`${rig.analyzerUrl()}${path}`, { key: rig.keys.agent_key }).catch(() => null)
      seen.reads++
      if (answer?.status !== 200) seen.readsFailed++
    }
    await pause(FILL_EVERY_MS)
  }
  const answers = rig.answers.slice(first)
  const refusals = answers.filter(({ status, retryAfter }) => status === 503 && Number(retryAfter) > 0)
  return {
    ...seen,
    refused: refusals.length,
    acknowledgedWhileFull: answers.filter(({ status }) => status === 200).length,
    wrongAnswers: answers.filter(({ status, retryAfter }) => status !== 200 && !(status === 503 && Number(retryAfter) > 0))
      .length,
    answerMaxMs: Math.round(Math.max(0, ...answers.map(({ sentMs, answeredMs }) => answeredMs - sentMs))),
  }
}

async function untilAccepted(rig: FaultRig): Promise<number> {
  const returnedMs = performance.now()
  const first = await until(
    'spans to be taken again',
    () => rig.answers.findLast(({ status, sentMs }) => status === 200 && sentMs >= returnedMs) ?? null,
  )
  return Math.round(first.answeredMs - returnedMs)
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
