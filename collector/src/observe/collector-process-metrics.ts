import process from 'node:process'
import type { MetricRegistry } from '@loopkit/shared/runtime/metric-registry'

const US_PER_S = 1e6

/** The Collector's own words for the process, which its dashboards ask for. */
export function addCollectorProcessMetrics(metrics: MetricRegistry): void {
  metrics.readCounter({ name: 'otelcol_process_uptime', help: 'Uptime of the process', unit: 's' }, () => process.uptime())
  metrics.readCounter(
    { name: 'otelcol_process_cpu_seconds', help: 'CPU time of the process, user and system', unit: 's' },
    () => {
      const { user, system } = process.cpuUsage()
      return (user + system) / US_PER_S
    },
  )
  metrics.gauge({ name: 'otelcol_process_memory_rss', help: 'Physical memory of the process', unit: 'By' }, () =>
    process.memoryUsage.rss(),
  )
  metrics.gauge(
    { name: 'otelcol_process_runtime_heap_alloc_bytes', help: 'Bytes of objects on the heap of the main thread', unit: 'By' },
    () => process.memoryUsage().heapUsed,
  )
  metrics.gauge(
    {
      name: 'otelcol_process_runtime_total_sys_memory_bytes',
      help: 'Bytes the runtime holds for the main thread: heap and memory outside of it',
      unit: 'By',
    },
    () => {
      const { heapTotal, external } = process.memoryUsage()
      return heapTotal + external
    },
  )
}
