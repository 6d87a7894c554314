import { monitorEventLoopDelay } from 'node:perf_hooks'
import process from 'node:process'
import type { Worker } from 'node:worker_threads'
import { collectDefaultMetrics } from 'prom-client'
import type { MetricRegistry, Reading } from './metric-registry.ts'

export interface ProcessIdentity {
  /** `loopkit-collector` or `loopkit-analyzer`. */
  service: string
  version: string
  /** Another one at each start. */
  instanceId: string
  /** Of its log, so far. */
  droppedLines(): number
}

export interface ProcessMetrics {
  stop(): void
}

/**
 * How often the main thread is looked at, in ms. At the 10 ms of the library the looking itself was a quarter of a percent of a
 * processor, the largest share of what an idle process used.
 */
const DELAY_LOOK_MS = 20
const LIBRARY_LOOK_MS = 1_000_000
const NS_PER_S = 1e9
const US_PER_S = 1e6

/** What any process of the product tells of itself, its main thread and its worker threads. */
export function addProcessMetrics(metrics: MetricRegistry, identity: ProcessIdentity): ProcessMetrics {
  collectDefaultMetrics({ register: metrics.registry, eventLoopMonitoringPrecision: LIBRARY_LOOK_MS })
  addIdentity(metrics, identity)
  const stopDelay = addEventLoopDelay(metrics)
  const stopWorkers = addWorkers(metrics)
  return {
    stop() {
      stopDelay()
      stopWorkers()
    },
  }
}

function addIdentity(metrics: MetricRegistry, { service, version, instanceId, droppedLines }: ProcessIdentity): void {
  const labels = ['service_name', 'service_version', 'service_instance_id'] as const
  metrics.gauge({ name: 'target_info', help: 'What runs here', unit: '1', labels }, () => [
    [{ service_name: service, service_version: version, service_instance_id: instanceId }, 1],
  ])
  metrics.readCounter(
    {
      name: 'loopkit_log_lines_dropped_total',
      help: 'Log lines that were not written, since too many came at once or the log took none',
      unit: '{line}',
    },
    droppedLines,
  )
}

/** The library's own look is so coarse here that its figures would mislead: the same names tell what the finer look saw. */
function addEventLoopDelay(metrics: MetricRegistry): () => void {
  const histogram = monitorEventLoopDelay({ resolution: DELAY_LOOK_MS })
  histogram.enable()
  // The look itself is part of what is measured.
  const seconds = (ns: number) => (Number.isFinite(ns) ? Math.max(0, ns / NS_PER_S - DELAY_LOOK_MS / 1000) : 0)
  const add = (what: string, words: string, read: () => number) => {
    const name = `nodejs_eventloop_lag_${what}_seconds`
    metrics.registry.removeSingleMetric(name)
    const help = `Delay of the main thread since the scrape before: ${words}`
    metrics.gauge({ name, help, unit: 's' }, () => (histogram.count === 0 ? 0 : seconds(read())))
  }
  add('min', 'least', () => histogram.min)
  add('mean', 'mean', () => histogram.mean)
  for (const share of [50, 90, 99, 99.9])
    add(`p${String(share).replace('.', '')}`, `${share} of 100 were at most this`, () => histogram.percentile(share))
  metrics.registry.removeSingleMetric('nodejs_eventloop_lag_stddev_seconds')
  // Metrics are read in the order they were made: the last one starts the next interval.
  add('max', 'longest', () => {
    const { max } = histogram
    histogram.reset()
    return max
  })
  return () => histogram.disable()
}

/** Every thread that is started from now on, by its name; threads of the same name count together. */
function addWorkers(metrics: MetricRegistry): () => void {
  const workers = new Map<Worker, { name: string; active: number; idle: number }>()
  const onWorker = (worker: Worker) => {
    workers.set(worker, { name: worker.threadName || 'worker', active: 0, idle: 0 })
    worker.once('exit', () => workers.delete(worker))
  }
  process.on('worker', onWorker)
  const labels = ['worker'] as const
  metrics.gauge({ name: 'loopkit_worker_threads', help: 'Worker threads that run', unit: '{thread}', labels }, () =>
    sumByName([...workers.values()].map(({ name }) => [name, 1])),
  )
  metrics.gauge(
    {
      name: 'loopkit_worker_busy_ratio',
      help: 'Share of the time since the scrape before that a thread worked',
      unit: '1',
      labels,
    },
    () => sumByName([...workers].map(([worker, seen]) => [seen.name, busySince(worker, seen)])),
  )
  metrics.readCounter(
    { name: 'loopkit_worker_cpu_seconds_total', help: 'Processor time of worker threads that run', unit: 's', labels },
    async () => sumByName(await Promise.all([...workers].map(async ([worker, { name }]) => [name, await cpuSeconds(worker)]))),
  )
  return () => void process.off('worker', onWorker)
}

function busySince(worker: Worker, seen: { active: number; idle: number }): number {
  const { active, idle } = worker.performance.eventLoopUtilization()
  const worked = active - seen.active
  const all = worked + idle - seen.idle
  seen.active = active
  seen.idle = idle
  return all > 0 ? worked / all : 0
}

/** A thread that ends while it is asked has used nothing that is worth telling. */
async function cpuSeconds(worker: Worker): Promise<number> {
  const use = await worker.cpuUsage().catch(() => null)
  return use ? (use.user + use.system) / US_PER_S : 0
}

function sumByName(values: readonly (readonly [name: string, value: number])[]): Reading {
  const sums = new Map<string, number>()
  for (const [name, value] of values) sums.set(name, (sums.get(name) ?? 0) + value)
  return [...sums].map(([worker, sum]) => [{ worker }, sum])
}
