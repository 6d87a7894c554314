import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { expect, test } from '@jest/globals'
import type { OtlpAttributes, OtlpResource, OtlpSpan, OtlpValue } from '../otlp/model.ts'
import { viewSpan } from '../span/view-span.ts'
import { detect } from './detect.ts'
import { judgeTrace } from './judge-trace.ts'
import type { TraceSpan } from './model.ts'
import type { SignalType } from './signal-type.ts'

/** Agent traces to measure on; they are no part of the project. */
const TRACES = new URL('../../../../shared/data/trail/', import.meta.url)

interface Pain {
  parentKey: string
  signal: SignalType
  text: string
  failures: number
  traces: number
}

if (!existsSync(TRACES)) {
  test.skip('measured where ../shared/data/trail is present; here it is absent', () => {})
} else {
  const pains = painsIn(readTraces())
  const withText = (text: string) => pains.filter((pain) => pain.text.includes(text))

  test('the tool called with an empty argument is one pain and the largest', () => {
    const [pain, ...others] = withText("PageDownTool.forward() got an unexpected keyword argument ''")
    expect(others).toEqual([])
    expect(pains[0]).toBe(pain)
    expect(pain!.traces).toBeGreaterThan(5)
  })

  test('its siblings are pains of their own under the same parent', () => {
    const family = withText('PageDownTool.forward() got an unexpected keyword argument')
    expect(family.length).toBeGreaterThanOrEqual(3)
    expect(new Set(family.map(({ parentKey }) => parentKey)).size).toBe(1)
  })

  test('the unbound variable is one pain among the first five', () => {
    const unbound = withText("cannot access local variable 'res'")
    expect(unbound).toHaveLength(1)
    expect(pains.slice(0, 5)).toContain(unbound[0])
  })

  test('a search without results is one pain whatever was searched', () => {
    expect(withText('No results found for query')).toHaveLength(1)
  })

  test('the rate limit is one pain', () => {
    const limited = withText('rate_limit_error')
    expect(limited).toMatchObject([{ signal: 'rate_limited' }])
  })
}

/** Largest first, ties by text. */
function painsIn(traces: Iterable<TraceSpan[]>): Pain[] {
  const pains = new Map<string, Pain>()
  for (const spans of traces) {
    const seen = new Set<Pain>()
    for (const { fingerprint, detection } of judgeTrace('measured', spans).failures) {
      const key = Buffer.from(fingerprint.key).toString('hex')
      const parentKey = Buffer.from(fingerprint.parentKey).toString('hex')
      const pain = pains.get(key) ?? {
        parentKey,
        signal: detection.signal,
        text: detection.message ?? '',
        failures: 0,
        traces: 0,
      }
      pains.set(key, pain)
      pain.failures++
      seen.add(pain)
    }
    for (const pain of seen) pain.traces++
  }
  return [...pains.values()].sort((a, b) => b.failures - a.failures || (a.text < b.text ? -1 : 1))
}

interface JsonAttribute {
  key: string
  value: { stringValue?: string; boolValue?: boolean; intValue?: string; doubleValue?: number }
}

interface JsonSpan {
  traceId: string
  spanId: string
  parentSpanId?: string
  name: string
  kind?: number
  startTimeUnixNano: string
  endTimeUnixNano?: string
  attributes?: JsonAttribute[]
  events?: { timeUnixNano?: string; name: string; attributes?: JsonAttribute[] }[]
  status?: { code?: number; message?: string }
}

interface JsonRequest {
  resourceSpans: { resource?: { attributes?: JsonAttribute[] }; scopeSpans: { spans: JsonSpan[] }[] }[]
}

function readTraces(): Iterable<TraceSpan[]> {
  const traces = new Map<string, TraceSpan[]>()
  for (const name of readdirSync(TRACES).filter((file) => file.endsWith('.otlp.json.gz'))) {
    const request = JSON.parse(gunzipSync(readFileSync(new URL(name, TRACES))).toString('utf8')) as JsonRequest
    for (const { resource, scopeSpans } of request.resourceSpans) {
      const sentUnder: OtlpResource = {
        attributes: readAttributes(resource?.attributes),
        droppedAttributesCount: 0,
        schemaUrl: '',
      }
      for (const json of scopeSpans.flatMap(({ spans }) => spans)) {
        const before = traces.get(json.traceId) ?? []
        traces.set(json.traceId, before)
        before.push(detected(sentUnder, readSpan(json)))
      }
    }
  }
  return traces.values()
}

function detected(resource: OtlpResource, span: OtlpSpan): TraceSpan {
  const scope = { name: '', version: '', attributes: new Map(), droppedAttributesCount: 0, schemaUrl: '' }
  const view = viewSpan({ resource, scope, span })
  return { span, view, detection: detect(span, view, new Set()) }
}

function readSpan(json: JsonSpan): OtlpSpan {
  const bytes = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'))
  return {
    traceId: bytes(json.traceId),
    spanId: bytes(json.spanId),
    parentSpanId: json.parentSpanId ? bytes(json.parentSpanId) : null,
    traceState: '',
    flags: 0,
    name: json.name,
    kind: json.kind ?? 0,
    startUnixNano: BigInt(json.startTimeUnixNano),
    endUnixNano: BigInt(json.endTimeUnixNano ?? 0),
    attributes: readAttributes(json.attributes),
    droppedAttributesCount: 0,
    events: (json.events ?? []).map((event) => ({
      timeUnixNano: BigInt(event.timeUnixNano ?? 0),
      name: event.name,
      attributes: readAttributes(event.attributes),
      droppedAttributesCount: 0,
    })),
    droppedEventsCount: 0,
    links: [],
    droppedLinksCount: 0,
    status: { code: json.status?.code ?? 0, message: json.status?.message ?? '' },
  }
}

/** Text, numbers and booleans: what these traces hold. */
function readAttributes(list: JsonAttribute[] = []): OtlpAttributes {
  return new Map(
    list.map(({ key, value }): [string, OtlpValue] => [
      key,
      value.intValue === undefined ? (value.stringValue ?? value.boolValue ?? value.doubleValue ?? null) : Number(value.intValue),
    ]),
  )
}
