import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

/** What is counted, for `/metrics`. Names as the OpenTelemetry Collector has them where it has them. */
export interface Metrics {
  accepted: Counter<'transport'>
  refused: Counter<'transport'>
  refusedRequests: Counter<'signal' | 'code'>
  spans: Counter<'what'>
  notKept: Counter<'signal'>
  commits: Histogram
  decided: Counter
  text(): Promise<{ contentType: string; text: string }>
}

export interface GaugeSources {
  queueSpans(): number
  inFlightBytes(): number
  diskBytes(): number
  freeBytes(): number
  walBytes(): number
  isWalHeld(): boolean
  isDiskFull(): boolean
}

const COMMIT_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1]

export function createMetrics(sources: GaugeSources): Metrics {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  gauge(registry, 'loopkit_queue_spans', 'Spans that wait for a commit', sources.queueSpans)
  gauge(registry, 'loopkit_in_flight_bytes', 'Bytes of bodies under way', sources.inFlightBytes)
  gauge(registry, 'loopkit_disk_bytes', 'Bytes of telemetry.db and its log', sources.diskBytes)
  gauge(registry, 'loopkit_disk_free_bytes', 'Bytes free in the data folder', sources.freeBytes)
  gauge(registry, 'loopkit_disk_full', '1 while spans are refused because the disk is full', () => Number(sources.isDiskFull()))
  gauge(registry, 'loopkit_wal_bytes', 'Bytes of the write-ahead log of telemetry.db', sources.walBytes)
  gauge(registry, 'loopkit_wal_held', '1 while a reader that does not end keeps the log from being emptied', () =>
    Number(sources.isWalHeld()),
  )
  return {
    accepted: new Counter({
      name: 'otelcol_receiver_accepted_spans',
      help: 'Spans stored for the first time',
      labelNames: ['transport'],
      registers,
    }),
    refused: new Counter({
      name: 'otelcol_receiver_refused_spans',
      help: 'Spans rejected one by one',
      labelNames: ['transport'],
      registers,
    }),
    refusedRequests: new Counter({
      name: 'loopkit_refused_requests_total',
      help: 'Requests refused as a whole',
      labelNames: ['signal', 'code'],
      registers,
    }),
    spans: new Counter({
      name: 'loopkit_spans_total',
      help: 'Spans by what became of them: deduplicated, replaced, conflict, rejected with the reason',
      labelNames: ['what'],
      registers,
    }),
    notKept: new Counter({
      name: 'loopkit_not_kept_records_total',
      help: 'Log records and data points accepted and not kept',
      labelNames: ['signal'],
      registers,
    }),
    commits: new Histogram({ name: 'loopkit_commit_seconds', help: 'Time of one commit', buckets: COMMIT_SECONDS, registers }),
    decided: new Counter({ name: 'loopkit_decided_traces_total', help: 'Traces decided', registers }),
    text: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  }
}

function gauge(registry: Registry, name: string, help: string, read: () => number): void {
  new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      this.set(read())
    },
  })
}
