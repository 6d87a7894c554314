import { LOG_RECORD_ID_KEY } from '../otlp/log-keys.ts'
import type { OtlpSpan, OtlpValue } from '../otlp/model.ts'
import { logAsSpan } from '../span/log-as-span.ts'
import type { SpanView } from '../span/record.ts'
import { detect } from './detect.ts'
import type { TraceSpan } from './model.ts'

/** A span in the words of a test; what is not said is healthy and unknown. */
export interface SpanSketch {
  id?: string
  parent?: string
  name?: string
  kind?: number
  status?: number
  message?: string
  attributes?: Record<string, OtlpValue>
  /** Type, message and perhaps stack of an exception event. */
  exception?: [type: string, message: string, stack?: string]
  escaped?: OtlpValue
  /** Name and attributes of an event. */
  event?: [name: string, attributes: Record<string, OtlpValue>]
  start?: number
  end?: number
  traceState?: string
  view?: Partial<SpanView>
  /** A log record of this body, on the span `parent`. */
  log?: string
  severity?: number
}

export const SERVER = 2
export const CLIENT = 3
export const CONSUMER = 5
export const OK = 1
export const ERROR = 2

export function sketchSpan(sketch: SpanSketch): OtlpSpan {
  if (sketch.log !== undefined) return sketchLog(sketch, sketch.log)
  const start = BigInt(sketch.start ?? 1)
  return {
    traceId: bytes('trace', 16),
    spanId: bytes(sketch.id ?? 'span', 8),
    parentSpanId: sketch.parent === undefined ? null : bytes(sketch.parent, 8),
    traceState: sketch.traceState ?? '',
    flags: 0,
    name: sketch.name ?? 'work',
    kind: sketch.kind ?? 1,
    startUnixNano: start,
    endUnixNano: BigInt(sketch.end ?? Number(start) + 1),
    attributes: new Map(Object.entries(sketch.attributes ?? {})),
    droppedAttributesCount: 0,
    events: [...exceptionEvents(sketch), ...otherEvents(sketch)],
    droppedEventsCount: 0,
    links: [],
    droppedLinksCount: 0,
    status: { code: sketch.status ?? 0, message: sketch.message ?? '' },
  }
}

function sketchLog(sketch: SpanSketch, body: string): OtlpSpan {
  const [event] = exceptionEvents(sketch)
  const id = bytes(sketch.id ?? 'log', 8)
  const envelope = { attributes: new Map(), droppedAttributesCount: 0, schemaUrl: '' }
  const { span } = logAsSpan({
    resource: envelope,
    scope: { ...envelope, name: sketch.name ?? 'logger', version: '' },
    log: {
      traceId: bytes('trace', 16),
      spanId: sketch.parent === undefined ? new Uint8Array(0) : bytes(sketch.parent, 8),
      flags: 0,
      timeUnixNano: BigInt(sketch.start ?? 1),
      observedTimeUnixNano: 0n,
      severityNumber: sketch.severity ?? 17,
      severityText: '',
      eventName: '',
      body,
      attributes: new Map([
        ...Object.entries(sketch.attributes ?? {}),
        ...(event?.attributes ?? []),
        [LOG_RECORD_ID_KEY, id] as const,
      ]),
      droppedAttributesCount: 0,
    },
  })
  return span
}

export function sketchView(view: Partial<SpanView> = {}): SpanView {
  return {
    kind: 'other',
    operation: 'work',
    service: 'shop',
    agent: null,
    tool: null,
    model: null,
    provider: null,
    tokens: { input: null, output: null, total: null, cache_read: null, cache_creation: null, reasoning: null },
    cost_usd: null,
    user: null,
    release: null,
    environment: null,
    session: null,
    finish_reasons: [],
    derived_from: {},
    ...view,
  }
}

/** A trace as the judge gets it, every span run through `detect`. */
export function sketchTrace(sketches: SpanSketch[]): TraceSpan[] {
  return sketches.map((sketch) => {
    const span = sketchSpan(sketch)
    const view = sketchView({
      operation: sketch.log === undefined ? (sketch.name ?? 'work') : `log ${span.name}`,
      ...sketch.view,
    })
    return { span, view, detection: detect(span, view, new Set()) }
  })
}

function exceptionEvents({ exception, escaped }: SpanSketch): OtlpSpan['events'] {
  if (exception === undefined) return []
  const attributes = new Map<string, OtlpValue>([
    ['exception.type', exception[0]],
    ['exception.message', exception[1]],
  ])
  if (exception[2] !== undefined) attributes.set('exception.stacktrace', exception[2])
  if (escaped !== undefined) attributes.set('exception.escaped', escaped)
  return [{ timeUnixNano: 1n, name: 'exception', attributes, droppedAttributesCount: 0 }]
}

function otherEvents({ event }: SpanSketch): OtlpSpan['events'] {
  if (event === undefined) return []
  const [name, attributes] = event
  return [{ timeUnixNano: 1n, name, attributes: new Map(Object.entries(attributes)), droppedAttributesCount: 0 }]
}

/** A readable id: the text's own bytes, filled up. */
function bytes(text: string, size: number): Uint8Array {
  return new Uint8Array(Buffer.from(text.padEnd(size, '.').slice(0, size), 'latin1'))
}
