import { expect, test } from '@jest/globals'
import { createAttributeFilter, decodeTraces } from '@loopkit/shared/otlp/decode-traces'
import { encodeTraces } from '@loopkit/shared/otlp/encode-traces'
import type { OtlpAttributes, OtlpEvent, SpanInContext } from '@loopkit/shared/otlp/model'
import { DETECTION_KEYS, detect } from '@loopkit/shared/signals/detect'
import { sampleWeight } from '@loopkit/shared/signals/sample-weight'
import { nanoToMinute, nanoToMs } from '@loopkit/shared/span/nanoseconds'
import { viewSpan } from '@loopkit/shared/span/view-span'
import { WANTED_KEYS, WANTED_PREFIXES } from '@loopkit/shared/span/wanted-keys'
import { createSpanIndexer, eventNanoOf, OVERFLOW, type SpanIndex } from './index-spans.ts'
import { createShapeMemo } from './shape-memo.ts'

const rules = {
  filter: createAttributeFilter([...WANTED_KEYS, ...DETECTION_KEYS], WANTED_PREFIXES),
  signalsOff: new Set<never>(),
}
const NONE = new Set<string>()
const START = 1_700_000_000_000_000_000n

function createRandom(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

/** Spans of few words in many combinations, so that shapes repeat and differ in one thing at a time. */
function randomSpans(random: (below: number) => number, count: number): SpanInContext[] {
  const pick = <T>(...choices: T[]): T => choices[random(choices.length)]!
  const resources = [1, 2, 3].map((n) => ({
    attributes: new Map([
      ['service.name', `service-${n % 2}`],
      ['service.version', `1.${n}`],
    ]) as OtlpAttributes,
    droppedAttributesCount: 0,
    schemaUrl: '',
  }))
  const scope = { name: 'test', version: '', attributes: new Map(), droppedAttributesCount: 0, schemaUrl: '' }
  return Array.from({ length: count }, () => {
    const attributes: OtlpAttributes = new Map()
    if (random(2)) attributes.set('http.request.method', pick('GET', 'POST'))
    if (random(2)) attributes.set('http.route', pick('/a', '/b'))
    if (random(3) === 0) attributes.set('http.response.status_code', pick(200, 500, 503))
    if (random(4) === 0) attributes.set('gen_ai.operation.name', pick('chat', 'execute_tool'))
    if (random(4) === 0) attributes.set('session.id', pick('s1', 's2'))
    if (random(2)) attributes.set('not.wanted', `${random(1_000_000)}`)
    const events: OtlpEvent[] = Array.from({ length: random(3) }, () => ({
      timeUnixNano: START + BigInt(random(1_000_000_000)),
      name: pick('exception', 'note'),
      attributes: new Map([['exception.type', pick('TimeoutError', 'TypeError')]]) as OtlpAttributes,
      droppedAttributesCount: 0,
    }))
    const start = random(20) === 0 ? 0n : START + BigInt(random(120)) * 1_000_000_007n
    return {
      resource: pick(...resources),
      scope,
      span: {
        traceId: Uint8Array.from({ length: 16 }, (_, i) => (i === 15 ? 1 + random(20) : 9)),
        spanId: Uint8Array.from({ length: 8 }, () => 1 + random(255)),
        parentSpanId: null,
        traceState: pick('', 'ot=th:8', 'ot=th:c'),
        flags: random(2) * 257,
        name: pick('work', 'wait'),
        kind: random(4),
        startUnixNano: start,
        endUnixNano: random(6) === 0 ? 0n : random(20) === 0 ? 2n ** 64n - 1n : start + 5_000_000n,
        attributes,
        droppedAttributesCount: 0,
        events,
        droppedEventsCount: 0,
        links: [],
        droppedLinksCount: 0,
        status: { code: pick(0, 1, 2), message: pick('', 'boom') },
      },
    }
  })
}

/** The index as it is meant: every span decoded and looked at. */
function indexPlainly(body: Uint8Array): object {
  const runs = new Map<string, number[]>()
  const traces = new Map<string, unknown[]>()
  for (const ctx of decodeTraces(body, rules.filter)) {
    const { span } = ctx
    const view = viewSpan(ctx)
    const weight = sampleWeight(span.traceState)
    const nano = eventNanoOf(span)
    const key = [view.service, view.operation, view.release ?? '', nanoToMs(nano) === 0 ? null : nanoToMinute(nano)].join('|')
    const [n = 0, w = 0, w2 = 0] = runs.get(key) ?? []
    runs.set(key, [n + 1, w + weight, w2 + weight * weight])
    const failing = detect(span, view, rules.signalsOff) === null ? 0 : 1
    const agentStep = ['chat', 'embeddings', 'tool', 'agent', 'workflow', 'retrieval', 'guardrail'].includes(view.kind) ? 1 : 0
    const unended = span.endUnixNano === 0n ? 1 : 0
    if (failing + agentStep + unended === 0 && view.session === null) continue
    const trace = Buffer.from(span.traceId).toString('latin1')
    const [f = 0, u = 0, a = 0, sessions = []] = (traces.get(trace) ?? []) as [number, number, number, string[]]
    traces.set(trace, [
      f + failing,
      u + unended,
      a + agentStep,
      [...new Set([...sessions, ...(view.session ? [view.session] : [])])].sort(),
    ])
  }
  return { runs: sorted(runs), traces: sorted(traces) }
}

function plain(index: SpanIndex): object {
  return {
    runs: sorted(
      new Map(
        index.runs.map((run) => [
          [run.service, run.operation, run.release, run.eventMinute].join('|'),
          [run.runs, run.weight, run.weightSquared],
        ]),
      ),
    ),
    traces: sorted(
      new Map([...index.traces].map(([key, t]) => [key, [t.failing, t.unended, t.agentSteps, [...t.sessions].sort()]])),
    ),
  }
}

function sorted(map: ReadonlyMap<string, unknown>): [string, unknown][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1))
}

test('what is remembered of shapes says the same as looking at every span', () => {
  const memo = createShapeMemo(rules)
  for (let seed = 1; seed <= 30; seed++) {
    const body = encodeTraces(randomSpans(createRandom(seed), 200))
    const indexer = createSpanIndexer(rules, memo)
    indexer.add(body, NONE)
    expect(plain(indexer.finish())).toEqual(indexPlainly(body))
  }
})

test('a span that replaces one is no second run, but still a reason to judge', () => {
  const [ctx] = randomSpans(createRandom(1), 1)
  ctx!.span.status = { code: 2, message: 'boom' }
  const indexer = createSpanIndexer(rules, createShapeMemo(rules))
  const id = Buffer.concat([ctx!.span.traceId, ctx!.span.spanId]).toString('latin1')
  indexer.add(encodeTraces([ctx!]), new Set([id]))
  const { runs, traces } = indexer.finish()
  expect([runs.length, traces.size]).toEqual([0, 1])
})

test('more names than a commit may add are counted together', () => {
  const spans = randomSpans(createRandom(1), 6000)
  spans.forEach(({ span }, n) => {
    span.attributes.clear()
    span.name = `name-${n.toString(36).replace(/\d/g, (digit) => 'klmnopqrst'[Number(digit)]!)}`
  })
  const indexer = createSpanIndexer(rules, createShapeMemo(rules))
  indexer.add(encodeTraces(spans), NONE)
  const { runs } = indexer.finish()
  expect(runs.length).toBeLessThanOrEqual(5001)
  expect(runs.reduce((sum, run) => sum + run.runs, 0)).toBe(6000)
  if (runs.length === 5001) expect(runs.at(-1)!.operation).toBe(OVERFLOW)
})
