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
  /** A target hangs on it: measured in every round. The others once. */
  isTarget: boolean
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
  isTarget: false,
  quick: false,
}

const PACE = 20_000
const SYNC_DELAY_MS = 5

/** What is compared with others. */
const COMPARED: Partial<BenchCase>[] = [
  { isTarget: true, name: 'protobuf', controls: ['queue', 'nop', 'drop'], quick: true },
  { isTarget: true, name: 'json', encoding: 'json', controls: ['queue', 'nop', 'drop'], quick: true },
  { isTarget: true, name: 'small', batch: 10, connections: 16, controls: ['queue', 'nop', 'drop'], quick: true },
  { name: 'medium', batch: 100, connections: 16, controls: ['queue'] },
  { name: 'grpc', transport: 'grpc', controls: ['queue', 'nop'] },
  { name: 'gzip', gzip: true, controls: ['queue', 'nop'] },
  { isTarget: true, name: 'agents', mix: 'agents', batch: 16, controls: ['queue'], quick: true },
  { name: 'agents-large', mix: 'agents', batch: 128, controls: ['queue'] },
  { name: 'agents-json', mix: 'agents', batch: 16, encoding: 'json', controls: ['queue'] },
  { name: 'generated', mix: 'generated', controls: ['queue'] },
  { name: 'generated-json', mix: 'generated', encoding: 'json', controls: ['queue'] },
  { isTarget: true, name: 'paced', spansPerSecond: PACE, controls: ['queue'], quick: true },
]

/** The disk that takes its time, against the same load on the disk as it is. */
const SLOW_DISK: Partial<BenchCase>[] = [
  { isTarget: true, name: 'slow-disk-paced', spansPerSecond: PACE, syncDelayMs: SYNC_DELAY_MS, quick: true },
  { isTarget: true, name: 'fast-disk-64', connections: 64 },
  { isTarget: true, name: 'slow-disk-64', connections: 64, syncDelayMs: SYNC_DELAY_MS },
  { isTarget: true, name: 'fast-disk-64-small', connections: 64, batch: 10 },
  { isTarget: true, name: 'slow-disk-64-small', connections: 64, batch: 10, syncDelayMs: SYNC_DELAY_MS },
]

/** How the product alone does with bodies of any size from few or many senders. */
const GRID: Partial<BenchCase>[] = [
  ...gridOf('protobuf', [1, 10, 100, 512, 8192], [1, 8, 16, 64]),
  ...gridOf('json', [10, 512], [1, 8, 64]),
]

function gridOf(
  encoding: BenchCase['encoding'],
  batches: readonly number[],
  connections: readonly number[],
): Partial<BenchCase>[] {
  return batches.flatMap((batch) =>
    connections.map((count) => ({ name: `grid-${encoding}-${batch}x${count}`, encoding, batch, connections: count })),
  )
}

export const BENCH_CASES: readonly BenchCase[] = [...COMPARED, ...SLOW_DISK, ...GRID].map((one) => ({ ...BASE, ...one }))
