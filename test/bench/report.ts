import type { DecodeOnly } from './decode-only.ts'
import type { DiagnoseFigures } from './diagnose/diagnose-case.ts'
import type { CaseRun, ServerName } from './run-case.ts'
import type { StoreFigures } from './store-case.ts'

/** Everything that one call of the benchmark found out. */
export interface BenchResult {
  machine: { cpu: string; cores: number; memory_gb: number; kernel: string }
  node: string
  commit: string
  /** Changes in the tree that are in no commit. */
  dirty: boolean
  started_at: string
  seconds: number
  rounds: number
  left_out: string[]
  decode_only: DecodeOnly[]
  runs: CaseRun[]
  store: StoreFigures | null
  /** Empty in older results and where it was not asked for. */
  diagnose?: DiagnoseFigures[]
}

type Figure =
  | 'spans_per_s'
  | 'mb_per_s'
  | 'cpu_s_per_million_spans'
  | 'ack_p50_ms'
  | 'ack_p99_ms'
  | 'ack_max_ms'
  | 'rss_peak_mb'
  | 'disk_bytes_per_span'

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2
}

/** The medians of a case on a server over the rounds; null where it was not run. */
export function medians(runs: readonly CaseRun[], name: string, server: ServerName): Record<Figure, number> | null {
  const own = runs.filter((run) => run.case === name && run.server === server)
  if (own.length === 0) return null
  const of = (figure: Figure) => median(own.map((run) => run[figure] ?? 0))
  return {
    spans_per_s: of('spans_per_s'),
    mb_per_s: of('mb_per_s'),
    cpu_s_per_million_spans: of('cpu_s_per_million_spans'),
    ack_p50_ms: of('ack_p50_ms'),
    ack_p99_ms: of('ack_p99_ms'),
    ack_max_ms: of('ack_max_ms'),
    rss_peak_mb: of('rss_peak_mb'),
    disk_bytes_per_span: of('disk_bytes_per_span'),
  }
}

/** One target of the product. `measured` is NaN where its runs are missing. */
interface Target {
  what: string
  floor: string
  aim: string
  measured: number
  /** Larger is better. */
  holds: 'at least' | 'at most'
  floorValue: number
  aimValue: number | null
}

type Medians = (name: string, server: ServerName) => Record<Figure, number> | null

function targets(m: Medians, store: StoreFigures | null): Target[] {
  const figure = (name: string, which: Figure) => m(name, 'loopkit')?.[which] ?? Number.NaN
  const ratio = (name: string) => figure(name, 'spans_per_s') / (m(name, 'queue')?.spans_per_s ?? Number.NaN)
  const against = (slow: string, fast: string) => figure(slow, 'spans_per_s') / figure(fast, 'spans_per_s')
  const atLeast = (what: string, measured: number, floorValue: number, aimValue: number | null, unit = ''): Target => ({
    ...{ what, measured, floorValue, aimValue, holds: 'at least' },
    ...{ floor: `≥ ${floorValue}${unit}`, aim: aimValue === null ? '' : `${aimValue}${unit}` },
  })
  const atMost = (what: string, measured: number, floorValue: number, aimValue: number | null, unit = ''): Target => ({
    ...{ what, measured, floorValue, aimValue, holds: 'at most' },
    ...{ floor: `≤ ${floorValue}${unit}`, aim: aimValue === null ? '' : `${aimValue}${unit}` },
  })
  return [
    atLeast('protobuf, 512 × 8, against the queue', ratio('protobuf'), 1.5, 2.2, ' ×'),
    atLeast('JSON, 512 × 8, against the queue with JSON', ratio('json'), 1, 1.5, ' ×'),
    atLeast('bodies of 10 spans, 16 connections, against the queue', ratio('small'), 3, 5, ' ×'),
    atMost('CPU-seconds per million spans', figure('protobuf', 'cpu_s_per_million_spans'), 6, 3.5),
    atLeast('agents’ traces, 16 spans a body', figure('agents', 'mb_per_s'), 40, 100, ' MB/s'),
    atMost('ack p99 at 20,000 spans/s', figure('paced', 'ack_p99_ms'), 10, 5, ' ms'),
    atMost('ack p99 at 20,000 spans/s, every fsync 5 ms later', figure('slow-disk-paced', 'ack_p99_ms'), 20, null, ' ms'),
    atLeast('64 connections, every fsync 5 ms later, against undelayed', against('slow-disk-64', 'fast-disk-64'), 0.7, null),
    atLeast('the same with bodies of 10 spans', against('slow-disk-64-small', 'fast-disk-64-small'), 0.7, null),
    atMost('RSS peak of the collector, protobuf', figure('protobuf', 'rss_peak_mb'), 256, 200, ' MB'),
    atMost('RSS peak of the collector, JSON', figure('json', 'rss_peak_mb'), 256, 200, ' MB'),
    atMost('data folder per span, merged', store?.bytes_per_span ?? Number.NaN, 65, 50, ' B'),
    atMost('trace by id among millions of spans, p50', store?.trace_by_id_p50_ms ?? Number.NaN, 3, null, ' ms'),
    atMost('skeleton of a trace of 10,000 spans, first question', store?.skeleton_cold_ms ?? Number.NaN, 100, null, ' ms'),
    atMost('the same, merged', store?.skeleton_merged_cold_ms ?? Number.NaN, 100, null, ' ms'),
    atMost('ready after kill -9 with 1 GB of data', store?.ready_after_kill_s ?? Number.NaN, 2, null, ' s'),
  ]
}

function verdict({ measured, holds, floorValue, aimValue }: Target): string {
  const meets = (value: number) => (holds === 'at least' ? measured >= value : measured <= value)
  if (aimValue !== null && meets(aimValue)) return 'aim met'
  return meets(floorValue) ? 'met' : 'missed'
}

const number = (value: number): string => (Number.isInteger(value) ? value.toLocaleString('en-US') : value.toFixed(2))
const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`

/** The result as a page: targets first, then every case with its medians, then the raw values. */
export function benchMarkdown(result: BenchResult): string {
  const { machine, runs, store } = result
  const m: Medians = (name, server) => medians(runs, name, server)
  const measured = targets(m, store).filter((target) => !Number.isNaN(target.measured))
  return [
    '# Benchmark',
    '',
    '<!-- Written by `npm run bench`; do not edit. -->',
    '',
    `Commit ${result.commit}${result.dirty ? ' with changes' : ''}, Node ${result.node}, ${machine.cores} × ${machine.cpu}, ` +
      `${machine.memory_gb} GB, Linux ${machine.kernel}, ${result.started_at}. Load and server share the cores. Medians of ${result.rounds} rounds.`,
    '',
    'The queue is the OpenTelemetry Collector 0.158 with its persistent queue and fsync, in the same run; nop is the same Collector, reading and',
    'dropping; drop is a server that looks at nothing, so what the load itself can do.',
    ...(result.left_out.length > 0 ? ['', `Left out: ${result.left_out.join('; ')}.`] : []),
    ...section('Targets', targetTable(measured)),
    ...section('Load', runs.length > 0 ? loadTable(runs, m) : []),
    ...section('One core, in process', result.decode_only.length > 0 ? decodeTable(result.decode_only) : []),
    ...section('Store', store ? storeTable(store) : []),
    ...section('Diagnosis of a day while spans come in', diagnoseTable(result.diagnose ?? [])),
    '',
  ].join('\n')
}

function section(title: string, table: readonly string[]): string[] {
  return table.length === 0 ? [] : ['', `## ${title}`, '', ...table]
}

function targetTable(measured: readonly Target[]): string[] {
  if (measured.length === 0) return []
  return [
    row(['measure', 'floor', 'aim', 'here', '']),
    row(['---', '---', '---', '---:', '---']),
    ...measured.map((target) => row([target.what, target.floor, target.aim, number(target.measured), verdict(target)])),
  ]
}

function decodeTable(figures: readonly DecodeOnly[]): string[] {
  return [
    row(['mix', 'work', 'spans/s', 'MB/s']),
    row(['---', '---', '---:', '---:']),
    ...figures.map((one) => row([one.mix, one.what, number(one.spans_per_s), number(one.mb_per_s)])),
  ]
}

function loadTable(runs: readonly CaseRun[], m: Medians): string[] {
  const keys = [...new Map(runs.map((run) => [`${run.case} ${run.server}`, run])).values()]
  return [
    row([
      'case',
      'server',
      'spans/s',
      'against queue',
      'MB/s',
      'CPU-s per M',
      'ack p50 ms',
      'p99',
      'max',
      'RSS MB',
      'bytes a span',
      'spans/s of each round',
    ]),
    row(['---', '---', ...Array.from({ length: 10 }, () => '---:')]),
    ...keys.map(({ case: name, server }) => {
      const own = m(name, server)!
      const queue = m(name, 'queue')
      const raw = runs.filter((run) => run.case === name && run.server === server)
      const refused = raw.some((run) => run.refused > 0)
        ? ` (${raw.reduce((sum, run) => sum + run.refused, 0)} refused: ${raw.find((run) => run.refusal !== '')?.refusal})`
        : ''
      return row([
        name,
        server,
        number(own.spans_per_s),
        queue ? number(own.spans_per_s / queue.spans_per_s) : '',
        number(own.mb_per_s),
        number(own.cpu_s_per_million_spans),
        number(own.ack_p50_ms),
        number(own.ack_p99_ms),
        number(own.ack_max_ms),
        number(own.rss_peak_mb),
        raw[0]?.disk_bytes_per_span === null ? '' : number(own.disk_bytes_per_span),
        raw.map((run) => number(run.spans_per_s)).join(', ') + refused,
      ])
    }),
  ]
}

function storeTable(store: StoreFigures): string[] {
  return [
    row(['measure', 'value']),
    row(['---', '---:']),
    ...Object.entries(store).map(([name, value]) =>
      row([name.replaceAll('_', ' '), typeof value === 'number' ? number(value) : String(value)]),
    ),
  ]
}

/** The bound is 150 ms, and at the most spans no more than 1.5 times what it is at the fewest. */
function diagnoseTable(figures: readonly DiagnoseFigures[]): string[] {
  if (figures.length === 0) return []
  const columns = [
    'spans',
    'pains',
    'question',
    'p50_ms',
    'p95_ms',
    'cpu_ms',
    'first_ms',
    'ingest_spans_per_s',
    'bytes_per_span',
  ] as const
  const fewest = figures.filter(({ spans }) => spans === figures[0]!.spans)
  return [
    row([...columns.map((name) => name.replaceAll('_', ' ')), 'p95 against the fewest']),
    row([...columns.map((name) => (name === 'question' ? '---' : '---:')), '---:']),
    ...figures.map((one) => {
      const least = fewest.find(({ question }) => question === one.question)
      const cells = columns.map((name) => (typeof one[name] === 'number' ? number(one[name]) : one[name]))
      return row([...cells, least ? number(one.p95_ms / least.p95_ms) : ''])
    }),
  ]
}
