import type { Mix } from './mixes.ts'
import type { OtelcolKind } from './start-otelcol.ts'

export interface BenchCase {
  name: string
  mix: Mix
  transport: 'http' | 'grpc'
  encoding: 'protobuf' | 'json'
  gzip: boolean
  batch: number
  connections: number
  /** 0: as fast as is acknowledged. */
  spansPerSecond: number
  /** What the product is compared with in the same run. */
  controls: readonly (OtelcolKind | 'drop')[]
  /** Every fsync of the product's log takes so much longer, in ms. */
  syncDelayMs: number
  /** Part of the short run. */
  quick: boolean
}

const BASE: BenchCase = {
  name: '',
  mix: 'capture',
  transport: 'http',
  encoding: 'protobuf',
  gzip: false,
  batch: 512,
  connections: 8,
  spansPerSecond: 0,
  controls: [],
  syncDelayMs: 0,
  quick: false,
}

const BATCHES = [1, 10, 100, 512, 8192]
const CONNECTIONS = [1, 8, 16, 64]
const PACE = 20_000
const SYNC_DELAY_MS = 5

/** What is compared with others. */
const COMPARED: Partial<BenchCase>[] = [
  { name: 'protobuf', controls: ['queue', 'nop', 'drop'], quick: true },
  { name: 'json', encoding: 'json', controls: ['queue', 'nop', 'drop'], quick: true },
  { name: 'small', batch: 10, connections: 16, controls: ['queue', 'nop', 'drop'], quick: true },
  { name: 'medium', batch: 100, connections: 16, controls: ['queue'] },
  { name: 'grpc', transport: 'grpc', controls: ['queue', 'nop'] },
  { name: 'gzip', gzip: true, controls: ['queue', 'nop'] },
  { name: 'agents', mix: 'agents', batch: 16, controls: ['queue'], quick: true },
  { name: 'agents-large', mix: 'agents', batch: 128, controls: ['queue'] },
  { name: 'agents-json', mix: 'agents', batch: 16, encoding: 'json', controls: ['queue'] },
  { name: 'generated', mix: 'generated', controls: ['queue'] },
  { name: 'generated-json', mix: 'generated', encoding: 'json', controls: ['queue'] },
  { name: 'paced', spansPerSecond: PACE, controls: ['queue'], quick: true },
]

/** The disk that takes its time, against the same load on the disk as it is. */
const SLOW_DISK: Partial<BenchCase>[] = [
  { name: 'slow-disk-paced', spansPerSecond: PACE, syncDelayMs: SYNC_DELAY_MS, quick: true },
  { name: 'fast-disk-64', connections: 64 },
  { name: 'slow-disk-64', connections: 64, syncDelayMs: SYNC_DELAY_MS },
  { name: 'fast-disk-64-small', connections: 64, batch: 10 },
  { name: 'slow-disk-64-small', connections: 64, batch: 10, syncDelayMs: SYNC_DELAY_MS },
]

/** How the product alone does with bodies of any size from few or many senders. */
const GRID: Partial<BenchCase>[] = (['protobuf', 'json'] as const).flatMap((encoding) =>
  BATCHES.flatMap((batch) =>
    CONNECTIONS.map((connections) => ({ name: `grid-${encoding}-${batch}x${connections}`, encoding, batch, connections })),
  ),
)

export const BENCH_CASES: readonly BenchCase[] = [...COMPARED, ...SLOW_DISK, ...GRID].map((one) => ({ ...BASE, ...one }))
