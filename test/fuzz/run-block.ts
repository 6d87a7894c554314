import { checkBody } from './check-body.ts'
import { checkSameRequest } from './check-encodings.ts'
import { type CorpusBody, drawBodies } from './corpus.ts'
import { drawBody, type FuzzBody } from './draw-body.ts'
import { BLOCK_BODIES, type FuzzCounts, type FuzzFailure } from './fuzz-messages.ts'
import { minimise } from './minimise.ts'
import type { ProductPath } from './product-path.ts'

/** Bodies drawn by their structure, afresh for each block. */
const DRAWN_BODIES = 30
/** A body of ten spans takes microseconds. One that seems slow is tried again, by the thread's own time, in ms. */
const SLOW_MS = 100
const SLOW_TRIES = 3
/** A body is made smaller for so long, in ms. */
const MINIMISE_MS = 2_000
const TOO_SLOW = `a body takes more than ${SLOW_MS} ms`

export interface BlockOptions {
  seed: number
  from: number
  to: number
  corpus: readonly CorpusBody[]
  createPath(): ProductPath
  monotonicMs(): number
  /** Processor time of this thread: another process may hold the processor while the clock runs. */
  cpuMs(): number
  onBody(n: number): void
}

export interface BlockResult {
  counts: FuzzCounts
  slowestMs: number
  /** The first one; the block ends with it. */
  failure: FuzzFailure | null
}

/** Checks the bodies `from` to `to`, which are of one block. */
export function runBlock(options: BlockOptions): BlockResult {
  const { seed, from, to, monotonicMs } = options
  const corpus = [...options.corpus, ...drawBodies(seed + Math.floor(from / BLOCK_BODIES), DRAWN_BODIES)]
  const path = options.createPath()
  const result: BlockResult = { counts: {}, slowestMs: 0, failure: null }
  for (let n = from; n < to; n++) {
    options.onBody(n)
    const body = drawBody(seed, n, corpus)
    const startMs = monotonicMs()
    const error = breaks(path, copyOf(body), n, result.counts)
    const tookMs = monotonicMs() - startMs
    if (tookMs > SLOW_MS) result.slowestMs = Math.max(result.slowestMs, leastMs(options, body, n))
    const broken = error ?? (result.slowestMs > SLOW_MS ? new Error(TOO_SLOW) : null)
    if (broken === null) continue
    result.failure = describe(options, body, n, broken)
    return result
  }
  return result
}

function leastMs({ createPath, cpuMs }: BlockOptions, body: FuzzBody, n: number): number {
  const tries = Array.from({ length: SLOW_TRIES }, () => {
    const path = createPath()
    const startMs = cpuMs()
    breaks(path, copyOf(body), n, {})
    return cpuMs() - startMs
  })
  return Math.min(...tries)
}

/** What the body broke, or null. */
function breaks(path: ProductPath, body: FuzzBody, n: number, counts: FuzzCounts): Error | null {
  const count = (what: string, more: number) => {
    counts[what] = (counts[what] ?? 0) + more
  }
  try {
    if (body.encoding === 'both') {
      const { spans, rejected } = checkSameRequest(path, body.request)
      count('in both encodings', 1)
      count('spans alike in both', spans)
      count('spans rejected alike', rejected)
    } else {
      const fate = checkBody(path, body, n)
      count(`${body.signal} ${body.encoding} ${fate.refused ?? 'read'}`, 1)
      const records = body.signal === 'logs' ? 'logs' : 'spans'
      for (const what of ['stored', 'rejected', 'dropped'] as const) count(`${records} ${what}`, fate[what])
    }
    return null
  } catch (error) {
    return error as Error
  }
}

/** Checks write into the bytes. */
function copyOf(body: FuzzBody): FuzzBody {
  return body.encoding === 'both' ? body : { ...body, bytes: Buffer.from(body.bytes) }
}

function describe(options: BlockOptions, body: FuzzBody, n: number, { message }: Error): FuzzFailure {
  const fails = (smaller: FuzzBody) => isBroken(options, smaller, n, message)
  const isAlone = fails(body)
  const endMs = options.monotonicMs() + MINIMISE_MS
  const smallest = isAlone ? minimise(body, (smaller) => options.monotonicMs() < endMs && fails(smaller)) : body
  const bodyText =
    smallest.encoding === 'both'
      ? JSON.stringify(smallest.request)
      : smallest.bytes.toString(smallest.encoding === 'json' ? 'utf8' : 'base64')
  const stack = withStack(() => breaks(options.createPath(), copyOf(smallest), n, {})?.stack ?? '')
  const what = body.encoding === 'both' ? 'traces in both encodings' : `${body.signal} in ${body.encoding}`
  return { n, message, stack, what, body: bodyText, isAlone }
}

function isBroken(options: BlockOptions, body: FuzzBody, n: number, message: string): boolean {
  if (message === TOO_SLOW) return leastMs(options, body, n) > SLOW_MS
  return breaks(options.createPath(), copyOf(body), n, {})?.message === message
}

/** Stacks are not kept otherwise: most bodies are refused by an error, and writing down where costs more than all else. */
function withStack(run: () => string): string {
  const before = Error.stackTraceLimit
  Error.stackTraceLimit = 20
  const stack = run()
  Error.stackTraceLimit = before
  return stack
}
