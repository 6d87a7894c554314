import { toIndexText } from '@loopkit/shared/database/telemetry/index-text'
import { decodeSpan } from '@loopkit/shared/otlp/decode-span'
import type { AttributeFilter } from '@loopkit/shared/otlp/decode-traces'
import { decodeTraces } from '@loopkit/shared/otlp/decode-traces'
import type { SpanInContext } from '@loopkit/shared/otlp/model'
import { createTextSource } from '@loopkit/shared/otlp/read-text'
import { readTag, skipField, varintEnd } from '@loopkit/shared/otlp/wire'
import { detect } from '@loopkit/shared/signals/detect'
import { sampleWeight } from '@loopkit/shared/signals/sample-weight'
import type { SignalType } from '@loopkit/shared/signals/signal-type'
import { waitsByDesign } from '@loopkit/shared/signals/waits-by-design'
import type { SpanView } from '@loopkit/shared/span/record'
import { type ResourceView, viewResource } from '@loopkit/shared/span/view-resource'
import { viewSpan } from '@loopkit/shared/span/view-span'
import { createSpanFacts, mix, type SpanFacts } from './shape-hash.ts'
import type { SlowestStored } from './slowest-stored.ts'

/** What runs are counted by, but for the minute. One object per combination, so that spans of it share their counter. */
export interface RunKey {
  service: string
  operation: string
  /** '' where the telemetry names none. */
  release: string
}

/** What the index needs to know of a span, the same for every span of its shape. */
export interface Shape {
  runKey: RunKey
  failing: boolean
  agentStep: boolean
  session: string | null
  weight: number
  /** How long it took says something of the operation: it did not fail, and does not wait by design. */
  isTimed: boolean
}

export interface ShapeRules {
  filter: AttributeFilter
  signalsOff: ReadonlySet<SignalType>
}

/**
 * Remembers what view and detection said of a shape: telemetry repeats itself, and decoding a span costs ten times what
 * hashing it does. One memo per project, since the hash is not keyed: who forges a collision misleads only himself.
 */
export interface ShapeMemo {
  /** What this hash of bytes stands for as a resource; `message` are the bytes of the ResourceSpans. */
  resource(body: Uint8Array, view: DataView, start: number, end: number): MemoResource
  slowestStored: SlowestStored
  /** The shape of the Span message at these bytes, whose facts were read with the resource's hash to start with. */
  shape(body: Uint8Array, start: number, end: number, facts: SpanFacts, resource: MemoResource): Shape
}

export interface MemoResource {
  hashLow: number
  hashHigh: number
  view: ResourceView
}

/** Shapes remembered; some 200 bytes each. Beyond it all are forgotten, which costs one slow round. */
const SHAPES_MAX = 20_000
const RESOURCES_MAX = 2_000

/** Work of an agent, whose traces are judged for their sessions even when nothing failed. */
const AGENT_STEPS: ReadonlySet<SpanView['kind']> = new Set([
  'chat',
  'embeddings',
  'tool',
  'agent',
  'workflow',
  'retrieval',
  'guardrail',
])

const RESOURCE = 0x0a

type Texts = [service: string, operation: string, release: string]

export function createShapeMemo({ filter, signalsOff }: ShapeRules): ShapeMemo {
  const shapes = new Map<number, { hashHigh: number; shape: Shape }>()
  const resources = new Map<number, MemoResource>()
  const runKeys = new Map<string, RunKey>()
  const facts = createSpanFacts()

  function describe(body: Uint8Array, start: number, end: number, resource: MemoResource): Shape {
    const source = { ...createTextSource(body), budget: 0, float: new DataView(body.buffer, body.byteOffset, body.byteLength) }
    const span = decodeSpan(source, start, end, filter)
    // Neither view nor detection looks at the scope; the resource is read through its own view.
    const view = viewSpan({ span } as SpanInContext, resource.view)
    const failing = detect(span, view, signalsOff) !== null
    return {
      runKey: runKeyOf(view),
      failing,
      isTimed: !failing && !signalsOff.has('slow') && !waitsByDesign(view),
      agentStep: AGENT_STEPS.has(view.kind),
      session: view.session === null ? null : toIndexText(view.session),
      weight: sampleWeight(span.traceState),
    }
  }

  function runKeyOf(view: SpanView): RunKey {
    const [service, operation, release] = [view.service, view.operation, view.release ?? ''].map(toIndexText) as Texts
    const key = { service, operation, release }
    const text = `${key.service}\0${key.operation}\0${key.release}`
    const known = runKeys.get(text)
    if (known) return known
    runKeys.set(text, key)
    return key
  }

  return {
    slowestStored: new WeakMap(),
    resource(body, view, start, end) {
      facts.hashLow = 0x9e3779b1
      facts.hashHigh = 0x7f4a7c15
      eachResource(body, start, end, (_, at, next) => mix(view, at, next, RESOURCE, facts))
      const known = resources.get(facts.hashLow)
      if (known && known.hashHigh === facts.hashHigh) return known
      if (resources.size >= RESOURCES_MAX) resources.clear()
      const resource = { hashLow: facts.hashLow, hashHigh: facts.hashHigh, view: decodeResource(body, start, end) }
      resources.set(resource.hashLow, resource)
      return resource
    },
    shape(body, start, end, { hashLow, hashHigh }, resource) {
      const known = shapes.get(hashLow)
      if (known && known.hashHigh === hashHigh) return known.shape
      if (shapes.size >= SHAPES_MAX) {
        shapes.clear()
        runKeys.clear()
      }
      const shape = describe(body, start, end, resource)
      shapes.set(hashLow, { hashHigh, shape })
      return shape
    },
  }
}

function eachResource(
  body: Uint8Array,
  start: number,
  end: number,
  visit: (tagAt: number, at: number, next: number) => void,
): void {
  for (let p = start; p < end; ) {
    const tagAt = p
    const tag = readTag(body, p, end)
    p = varintEnd(body, p, end)
    const next = skipField(body, tag, p, end)
    if (tag === RESOURCE) visit(tagAt, varintEnd(body, p, end), next)
    p = next
  }
}

/** An empty span in an empty scope: makes the reader show the resource. */
const EMPTY_SPAN = [0x12, 0x02, 0x12, 0x00]

/** The resource by the one reader of requests there is: from a request with nothing but it and an empty span. */
function decodeResource(body: Uint8Array, start: number, end: number): ResourceView {
  const pieces: Uint8Array[] = []
  eachResource(body, start, end, (tagAt, _, next) => pieces.push(body.subarray(tagAt, next)))
  const content = Buffer.concat([...pieces, Buffer.from(EMPTY_SPAN)])
  const [ctx] = decodeTraces(Buffer.concat([Buffer.from([RESOURCE, ...varint(content.length)]), content]))
  return viewResource(ctx!.resource)
}

function varint(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80)
  return [...bytes, rest]
}
