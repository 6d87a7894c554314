import { toHex } from '@loopkit/shared/otlp/ids'
import type { SpanInContext } from '@loopkit/shared/otlp/model'
import { detect } from '@loopkit/shared/signals/detect'
import { createJudgeMemory } from '@loopkit/shared/signals/judge-memory'
import { judgeTrace } from '@loopkit/shared/signals/judge-trace'
import type { Failure, TraceSpan } from '@loopkit/shared/signals/model'
import { SIGNAL_TYPES, type SignalType } from '@loopkit/shared/signals/signal-type'
import { DEFAULT_SOFT_THRESHOLDS } from '@loopkit/shared/signals/soft/thresholds'
import { viewSpan } from '@loopkit/shared/span/view-span'
import { severityOf } from '../../analyzer/src/domain/weigh-pain.ts'
import { mulberry32 } from '../demo/random.ts'
import { AGENT_SHAPES, DIALECT_COUNT } from './healthy-agents.ts'
import { type HealthyShape, type HealthySpan, ORDINARY, SERVICE_SHAPES } from './healthy-services.ts'

import type { Measure } from './measure.ts'

export interface FalseAlarms {
  traces: number
  shapes: number
  /** Traces in which the signal was seen; and those in which it was part of a pain above severity low. */
  seen: Record<SignalType, number>
  above: Record<SignalType, number>
  /** Of the shapes whose pains are above low, by their names. */
  loud: string[]
}

/** Of this many traces a half is of services and a half of agents; every shape is drawn as often as the others of its half. */
export function countFalseAlarms({ traces, seed }: { traces: number; seed: number }): FalseAlarms {
  const random = mulberry32(seed)
  const memory = createJudgeMemory('healthy')
  const rules = { off: new Set<SignalType>(), thresholds: DEFAULT_SOFT_THRESHOLDS, isOver: true }
  const runs = new Map<string, number>()
  const pains = new Map<string, { failures: Failure[]; traces: Set<number>; shapes: Set<string> }>()
  for (let n = 0; n < traces; n++) {
    const shape = shapeOf(n)
    const spans = inTrace(shape.draw(random), n).map((ctx): TraceSpan => {
      const view = viewSpan(ctx)
      return { span: ctx.span, view, detection: detect(ctx.span, view, rules.off) }
    })
    for (const { view } of spans) runs.set(workOf(view), (runs.get(workOf(view)) ?? 0) + 1)
    for (const failure of judgeTrace('healthy', spans, memory, rules).failures) {
      const key = toHex(failure.fingerprint.key)
      const pain = pains.get(key) ?? { failures: [], traces: new Set(), shapes: new Set() }
      pains.set(key, pain)
      pain.failures.push(failure)
      pain.traces.add(n)
      pain.shapes.add(shape.name)
    }
  }
  const alarms = [...pains.values()].map((pain) => ({
    ...pain,
    signal: pain.failures[0]!.detection.signal,
    isLoud: isLoud(pain, runs),
  }))
  const tracesOf = (of: typeof alarms) =>
    Object.fromEntries(
      SIGNAL_TYPES.map((signal) => [
        signal,
        new Set(of.filter((pain) => pain.signal === signal).flatMap((pain) => [...pain.traces])).size,
      ]),
    ) as Record<SignalType, number>
  const loud = alarms.filter((pain) => pain.isLoud)
  return {
    ...{ traces, shapes: SERVICE_SHAPES.length + AGENT_SHAPES.length },
    seen: tracesOf(alarms),
    above: tracesOf(loud),
    loud: loud.map(
      ({ signal, shapes, failures }) => `${signal} of ${[...shapes].slice(0, 3).join(', ')} (${failures[0]!.detection.because})`,
    ),
  }
}

/** Of the visits to services every second one is ordinary. */
function shapeOf(n: number): HealthyShape {
  const half = Math.floor(n / 2)
  if (n % 2 === 1) return AGENT_SHAPES[half % AGENT_SHAPES.length]!
  const ordinary = SERVICE_SHAPES.find(({ name }) => name === ORDINARY)!
  return half % 2 === 0 ? ordinary : SERVICE_SHAPES[Math.floor(half / 2) % SERVICE_SHAPES.length]!
}

const workOf = ({ service, operation }: { service: string; operation: string }) => `${service} ${operation}`

/** As a packet would say it of a day with these traces; each is a session of its own. */
function isLoud({ failures, traces }: { failures: Failure[]; traces: Set<number> }, runs: ReadonlyMap<string, number>): boolean {
  const [{ view, detection, fingerprint }] = failures as [Failure]
  const no = { failures: 0, runs: 0 }
  return (
    severityOf({
      fingerprint: toHex(fingerprint.key),
      parentKey: toHex(fingerprint.parentKey),
      ...{ signal: detection.signal, service: view.service, operation: view.operation },
      ...{ decided: failures.length, provisional: 0, traces: traces.size, sessions: traces.size },
      ended: failures.filter(({ endedTrace }) => endedTrace).length,
      ...{ firstSeenMs: 0, firstEventMs: 0, lastEventMs: 0, runs: runs.get(workOf(view)) ?? 0 },
      ...{ earlier: no, later: no, season: null, novelty: null, onset: { kind: 'first_failure', atMs: 0, uncertainMs: 0 } },
    }) !== 'low'
  )
}

function inTrace(spans: readonly HealthySpan[], n: number): SpanInContext[] {
  const idOf = (at: number) => new Uint8Array(Buffer.from(`${n}.${at}`.padEnd(8, '-').slice(0, 8)))
  const traceId = new Uint8Array(Buffer.from(`${n}`.padEnd(16, '-')))
  const scope = { name: '', version: '', attributes: new Map(), droppedAttributesCount: 0, schemaUrl: '' }
  return spans.map(
    ({ name, service = 'shop', under, kind = 1, status = 0, message = '', attributes = {}, events = [], isOpen }, at) => ({
      resource: { attributes: new Map([['service.name', service]]), droppedAttributesCount: 0, schemaUrl: '' },
      scope,
      span: {
        traceId,
        spanId: idOf(at),
        parentSpanId: under === undefined ? null : idOf(under),
        ...{
          traceState: '',
          flags: 0,
          name,
          kind,
          droppedAttributesCount: 0,
          droppedEventsCount: 0,
          links: [],
          droppedLinksCount: 0,
        },
        startUnixNano: BigInt(1 + at * 10),
        endUnixNano: isOpen ? 0n : at === 0 ? 100_000n : BigInt(6 + at * 10),
        attributes: new Map(Object.entries(attributes)),
        events: events.map((event) => ({
          timeUnixNano: 1n,
          name: event.name,
          attributes: new Map(Object.entries(event.attributes)),
          droppedAttributesCount: 0,
        })),
        status: { code: status, message },
      },
    }),
  )
}

/** Share of healthy traces that may hold a pain above severity low, by signal. */
const TARGET = 0.01

/** A row for each signal: none of them may cry for what is healthy. `slow` and `cost_outlier` are judged by history: see their own measure. */
export function measureFalseAlarms({ traces, shapes, seen, above, loud }: FalseAlarms, { seed }: { seed: number }): Measure {
  const signals = SIGNAL_TYPES.filter((signal) => !BY_HISTORY.has(signal))
  const quiet = signals.filter((signal) => seen[signal] > 0).map((signal) => `${signal} ${share(seen[signal] / traces)}`)
  return {
    name: 'false alarms on healthy traces',
    published: '–',
    figures: signals.map((signal) => ({
      name: `${signal}, share of traces above severity low`,
      value: above[signal] / traces,
      target: { atMost: TARGET },
    })),
    note: `${traces} traces of ${shapes} shapes, seed ${seed}: services with handled errors, retries and cancelled calls, agents of ${DIALECT_COUNT} dialects that poll, search logs and quote errors. Seen at all, low included: ${quiet.join(', ') || 'nothing'}${loud.length === 0 ? '' : `. Above low: ${loud.join('; ')}`}`,
  }
}

const BY_HISTORY: ReadonlySet<SignalType> = new Set(['slow', 'cost_outlier'])
const share = (value: number) => value.toFixed(3)
