import type { MetricRow } from '@loopkit/shared/runtime/metric-registry'
import { createMetrics as createAnalyzerMetrics } from '../../analyzer/src/start/metrics.ts'
import { createMetrics as createCollectorMetrics } from '../../collector/src/observe/metrics.ts'

const identity = { version: '', instanceId: '', droppedLines: () => 0 }
const nothing = () => 0
const no = () => false
const sources = {
  ...{ queueSpans: nothing, queueMaxSpans: 0, inFlightBytes: nothing, inFlightMaxBytes: 0 },
  ...{ diskBytes: nothing, freeBytes: nothing, walBytes: nothing, isWalHeld: no, isDiskFull: no, isReady: no },
}

/** The generated reference: docs/generated/metrics.md. */
export async function metricsMarkdown(): Promise<string> {
  const collector = createCollectorMetrics({ ...identity, sources })
  const analyzer = createAnalyzerMetrics(identity)
  try {
    return [
      '# Metrics',
      '',
      'Generated from the registries of both processes. `GET /metrics` in the Prometheus text format: the collector on its OTLP/HTTP',
      'port, the analyzer on its own. Names that begin with `otelcol_`, `http_server_` and `rpc_server_` have the names, labels and',
      'meaning that the OpenTelemetry Collector 0.158 prints (counters without `_total`), so that its dashboards show this collector too.',
      '',
      ...(await table('Collector', collector)),
      ...(await table('Analyzer', analyzer)),
    ].join('\n')
  } finally {
    collector.stop()
    analyzer.stop()
  }
}

async function table(title: string, { describe }: { describe(): Promise<MetricRow[]> }): Promise<string[]> {
  const rows = (await describe()).map(
    ({ name, type, unit, labels, help }) => `| \`${name}\` | ${type} | ${unit} | ${labels.join(', ')} | ${help} |`,
  )
  return [`## ${title}`, '', '| name | type | unit | labels | meaning |', '|---|---|---|---|---|', ...rows, '']
}
