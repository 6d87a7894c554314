import { Worker } from 'node:worker_threads'
import { systemClock } from '@loopkit/shared/runtime/clock'
import { DEFAULT_SOFT_THRESHOLDS, type SoftThresholds } from '@loopkit/shared/signals/soft/thresholds'
import type { ModelPrices } from '@loopkit/shared/span/price-call'
import type { AnswerOf, QuestionName, QuestionOf } from './answer.ts'
import type { ReadWorkerData, WorkerRequest, WorkerResponse } from './read-worker.ts'

export interface ReadPoolOptions {
  /** Path of telemetry.db; it need not exist yet. */
  path: string
  /** By default those of shared/src/signals/soft/thresholds.ts. */
  thresholds?: SoftThresholds
  /** Without it only costs that were sent are told. */
  modelPrices?: ModelPrices
  workers?: number
  /** How long one question may take, its wait not counted; then its worker is ended and replaced. */
  timeoutMs?: number
  /** Questions waiting for a worker before new ones are refused. */
  waitingMax?: number
  /** How long one waits for a worker before it is refused. */
  waitMaxMs?: number
}

/** Asks telemetry, off the main thread. */
export type AskTelemetry = <N extends QuestionName>(name: N, question: QuestionOf<N>) => Promise<AnswerOf<N>>

/** Telemetry cannot be read just now. The door answers 503 for this code, as for any busy database. */
export class ReadRefused extends Error {
  override readonly name = 'ReadRefused'
  readonly code = 'SQLITE_BUSY'
}

const WORKERS = 2
const TIMEOUT_MS = 30_000
/** One request may ask twice, and an agent may ask for all its pains at once: what waits costs a hundred bytes, and time bounds it. */
const WAITING_MAX = 1_000
/** When a first question has had time to come. */
const OTHERS_REHEARSE_AFTER_MS = 5_000
/** Then whoever asked has given up. */
const WAIT_MAX_MS = 30_000
/** A worker holds one question's rows; more than this is a question that was not bounded. */
const WORKER_HEAP_MAX_MB = 768

interface Waiting {
  sinceMs: number
  name: QuestionName
  question: unknown
  resolve: (answer: unknown) => void
  reject: (error: Error) => void
}

/** A worker and the question it is busy with. */
interface Seat {
  worker: Worker
  current: (Waiting & { id: number; timer: NodeJS.Timeout }) | null
}

/**
 * A few workers that read telemetry.db, started when first needed. A question waits for a free one; one that takes too long is
 * refused, and its worker is ended and replaced, since a running statement cannot be stopped otherwise.
 */
export class ReadPool {
  readonly #options: Required<ReadPoolOptions>
  readonly #seats: Seat[] = []
  readonly #waiting: Waiting[] = []
  #lastId = 0
  #closed = false

  constructor({
    path,
    thresholds = DEFAULT_SOFT_THRESHOLDS,
    modelPrices = {},
    workers = WORKERS,
    timeoutMs = TIMEOUT_MS,
    waitingMax = WAITING_MAX,
    waitMaxMs = WAIT_MAX_MS,
  }: ReadPoolOptions) {
    this.#options = { path, thresholds, modelPrices, workers, timeoutMs, waitingMax, waitMaxMs }
  }

  /** Rejects with `ReadRefused` when too many wait, when it takes too long, and after `close`. */
  readonly ask: AskTelemetry = (name, question) => {
    if (this.#closed || this.#waiting.length >= this.#options.waitingMax) {
      return Promise.reject(new ReadRefused('too many reads are waiting'))
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({
        sinceMs: systemClock.monotonicMs(),
        name,
        question,
        resolve: resolve as (answer: unknown) => void,
        reject,
      })
      this.#next()
    })
  }

  /**
   * Opens a worker and lets it try itself out; the others some seconds later, so that they do not take the processor from the first
   * question, which is asked of this one. Where it fails, that question finds out.
   */
  async rehearse(): Promise<void> {
    await this.#rehearseOne()
    const others = setTimeout(() => {
      for (let left = this.#options.workers - 1; left > 0; left--) void this.#rehearseOne()
    }, OTHERS_REHEARSE_AFTER_MS)
    others.unref()
  }

  #rehearseOne(): Promise<void> {
    if (this.#closed || this.#seats.length >= this.#options.workers) return Promise.resolve()
    return new Promise((resolve) => {
      const end = () => resolve()
      const asked = { name: 'rehearsal', question: null, sinceMs: systemClock.monotonicMs(), resolve: end, reject: end } as const
      this.#start(this.#open(), asked)
    })
  }

  /** Ends the workers; questions under way are refused. Safe to call twice. */
  async close(): Promise<void> {
    this.#closed = true
    const stopping = new ReadRefused('the service is stopping')
    for (const { reject } of this.#waiting.splice(0)) reject(stopping)
    await Promise.all([...this.#seats].map((seat) => this.#vacate(seat, stopping)))
  }

  #next(): void {
    this.#refuseOld()
    while (this.#waiting.length > 0 && !this.#closed) {
      const free = this.#seats.find(({ current }) => current === null)
      if (!free && (this.#seats.length >= this.#options.workers || this.#isRehearsing())) return
      this.#start(free ?? this.#open(), this.#waiting.shift()!)
    }
  }

  /** Who rehearses is ready sooner than one that is not started yet. */
  #isRehearsing(): boolean {
    return this.#seats.some(({ current }) => current?.name === 'rehearsal')
  }

  /** The first has waited longest. */
  #refuseOld(): void {
    const { waitMaxMs } = this.#options
    const since = systemClock.monotonicMs() - waitMaxMs
    while (this.#waiting.length > 0 && this.#waiting[0]!.sinceMs < since)
      this.#waiting.shift()!.reject(new ReadRefused(`no reader was free for ${waitMaxMs} ms`))
  }

  #open(): Seat {
    const { path, thresholds, modelPrices } = this.#options
    const worker = new Worker(new URL('./read-worker.ts', import.meta.url), {
      name: 'read',
      workerData: { path, thresholds, modelPrices } satisfies ReadWorkerData,
      resourceLimits: { maxOldGenerationSizeMb: WORKER_HEAP_MAX_MB },
    })
    const seat: Seat = { worker, current: null }
    worker.on('message', (response: WorkerResponse) => this.#settle(seat, response))
    worker.on('error', (error) => void this.#vacate(seat, error as Error))
    this.#seats.push(seat)
    return seat
  }

  #start(seat: Seat, asked: Waiting): void {
    const id = ++this.#lastId
    const { timeoutMs } = this.#options
    const expire = () => void this.#vacate(seat, new ReadRefused(`reading took longer than ${timeoutMs} ms`))
    seat.current = { ...asked, id, timer: setTimeout(expire, timeoutMs) }
    seat.worker.postMessage({ id, name: asked.name, question: asked.question } satisfies WorkerRequest)
  }

  #settle(seat: Seat, response: WorkerResponse): void {
    const { current } = seat
    if (current?.id !== response.id) return
    clearTimeout(current.timer)
    seat.current = null
    if ('answer' in response) current.resolve(response.answer)
    else current.reject(toError(response.error))
    this.#next()
  }

  /** A worker that failed or took too long is not asked again. */
  async #vacate(seat: Seat, cause: Error): Promise<void> {
    const at = this.#seats.indexOf(seat)
    if (at === -1) return
    this.#seats.splice(at, 1)
    if (seat.current) {
      clearTimeout(seat.current.timer)
      seat.current.reject(cause)
    }
    this.#next()
    await seat.worker.terminate()
  }
}

function toError({ code, message, stack }: { code: string; message: string; stack: string }): Error {
  const transient = code.startsWith('SQLITE_BUSY') || code === 'schema_differs'
  return Object.assign(transient ? new ReadRefused(message) : new Error(message), { stack })
}
