import { AsyncLocalStorage } from 'node:async_hooks'
import { createHash } from 'node:crypto'
import type { IdGenerator } from '@opentelemetry/sdk-trace'
import { hexDigits, mulberry32, type Random, seedOf } from './random.ts'

interface Draws {
  traceId: string
  random: Random
}

export interface TraceIds {
  generator: IdGenerator
  /** Runs one trace's work: its root span gets `traceId`, every id and random number in it follows from `seedText`. */
  run<T>(traceId: string, seedText: string, work: (random: Random) => T): T
  /** The random numbers of the work under way. */
  random(): Random
  /** The trace of the work under way. */
  traceId(): string
}

/** Trace id of one visit: unique for (seed, index) and the same in every run. */
export const traceIdOf = (seed: number, index: number): string =>
  createHash('sha256').update(`${seed}:${index}`).digest('hex').slice(0, 32)

/** Ids that follow from the seed although many traces are under way at once: each draws from its own generator. */
export function createTraceIds(): TraceIds {
  const storage = new AsyncLocalStorage<Draws>()
  const current = (): Draws => {
    const draws = storage.getStore()
    if (!draws) throw new Error('a span was started outside of a visit')
    return draws
  }
  return {
    generator: {
      generateTraceId: () => current().traceId,
      generateSpanId: () => hexDigits(current().random, 16),
    },
    run: (traceId, seedText, work) => {
      const random = mulberry32(seedOf(seedText))
      return storage.run({ traceId, random }, () => work(random))
    },
    random: () => current().random,
    traceId: () => current().traceId,
  }
}
