import { createMetricRegistry, type MetricRow, type MetricsText } from '@loopkit/shared/runtime/metric-registry'
import { addProcessMetrics } from '@loopkit/shared/runtime/process-metrics'
import { addCollectorProcessMetrics } from './collector-process-metrics.ts'
import { addReceiverMetrics, type ReceiverMetrics } from './receiver-metrics.ts'
import { addStoreMetrics, type StoreMetrics, type StoreSources } from './store-metrics.ts'

/** What is counted, for `/metrics`. Where the OpenTelemetry Collector has a metric, ours has its name, labels and meaning. */
export interface Metrics extends ReceiverMetrics, StoreMetrics {
  text(): Promise<MetricsText>
  /** For docs/generated/metrics.md. */
  describe(): Promise<MetricRow[]>
  stop(): void
}

export interface MetricsOptions {
  version: string
  instanceId: string
  droppedLines(): number
  sources: StoreSources
}

export function createMetrics({ version, instanceId, droppedLines, sources }: MetricsOptions): Metrics {
  const registry = createMetricRegistry()
  const receiver = addReceiverMetrics(registry)
  const store = addStoreMetrics(registry, sources)
  addCollectorProcessMetrics(registry)
  const { stop } = addProcessMetrics(registry, { service: 'loopkit-collector', version, instanceId, droppedLines })
  return { ...receiver, ...store, text: registry.text, describe: registry.describe, stop }
}
