import { statSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import type { SoftThresholds } from '@loopkit/shared/signals/soft/thresholds'
import { createCostOf, type ModelPrices } from '@loopkit/shared/span/price-call'
import { answer, type QuestionName } from './answer.ts'
import { openEmptyTelemetry, openTelemetry, type TelemetryConnection, telemetryStateOf } from './telemetry-file.ts'

/** One question to a worker and its answer; `id` pairs them. */
export interface WorkerRequest {
  id: number
  name: QuestionName
  question: unknown
}

/** What a worker is started with. */
export interface ReadWorkerData {
  path: string
  thresholds: SoftThresholds
  modelPrices: ModelPrices
}

export type WorkerResponse =
  | { id: number; answer: unknown }
  | { id: number; error: { code: string; message: string; stack: string } }

const port = parentPort
if (!port) throw new Error('read-worker runs as a worker thread only')
const { path, thresholds, modelPrices } = workerData as ReadWorkerData
const costOf = createCostOf(modelPrices)
const empty = openEmptyTelemetry()
let opened: TelemetryConnection | null = null
let openedFile: number | undefined

port.on('message', ({ id, name, question }: WorkerRequest) => {
  try {
    port.postMessage({ id, answer: answer(connect(), name, question as never) } satisfies WorkerResponse)
  } catch (error) {
    port.postMessage({ id, error: describe(error) } satisfies WorkerResponse)
  }
})

/** The file may appear while we run; until then there is nothing to read. A collector that mended it put another in its place. */
function connect(): TelemetryConnection {
  const file = statSync(path, { throwIfNoEntry: false })?.ino
  if (opened && file !== openedFile) {
    opened.db.close()
    opened = null
  }
  openedFile = file
  opened ??= openTelemetry(path, thresholds, costOf)
  if (opened) return opened
  const state = telemetryStateOf(path)
  if (state === 'newer' || state === 'older')
    throw Object.assign(new Error(`telemetry.db is of ${state === 'newer' ? 'a newer' : 'an older'} version`), {
      code: 'schema_differs',
    })
  return empty
}

function describe(error: unknown): { code: string; message: string; stack: string } {
  const { code, message, stack } = error as { code?: unknown; message?: unknown; stack?: unknown }
  return { code: String(code ?? 'failed'), message: String(message), stack: String(stack ?? '') }
}
