import { OWN_PROJECT_ID } from '@loopkit/shared/database/control/own-project'
import type { Clock } from '@loopkit/shared/runtime/clock'
import { ownTracer, startSelfTelemetry } from '@loopkit/shared/runtime/self-telemetry'
import type { InFlight } from '../admit/in-flight.ts'
import type { ExportRequest, Pipeline } from '../admit/pipeline.ts'
import type { Caller } from '../receive/authenticate.ts'
import type { Outcome } from '../receive/outcome.ts'

export interface OwnSpansDeps {
  clock: Clock
  version: string
  /** What takes the spans: straight into admission, past the door. */
  pipeline: Pipeline
  inFlight: InFlight
  /** The instance's own project; null while control.db or the project is not there, and the spans are dropped. */
  findOwnProject(): Caller | null
}

export interface OwnSpans {
  /** The same pipeline, with spans for requests of others. */
  observed: Pipeline
  stop(): Promise<void>
}

/** SpanKind.SERVER and SpanStatusCode.ERROR of @opentelemetry/api. */
const SERVER = 1
const ERROR = 2
/** What ends a request by our own fault rather than the sender's. */
const OWN_FAULTS: ReadonlySet<string> = new Set(['storage_failed', 'internal'])
/** Requests that succeeded get a span up to so many a second: senders of small bodies would fill a tenth of the store with ours. */
const SUCCESSES_PER_S = 20

/**
 * Spans of the collector's own work: of each request that was refused, and of some that succeeded. A request that brings our own spans, the analyzer's too, makes none: else each
 * batch would be the next one's cause for as long as the process runs.
 */
export function startOwnSpans({ clock, version, pipeline, inFlight, findOwnProject }: OwnSpansDeps): OwnSpans {
  const send = async (body: Uint8Array): Promise<void> => {
    const caller = findOwnProject()
    const room = caller && (await inFlight.acquire(caller.projectNo, body.length))
    if (!caller || !room) return
    try {
      await pipeline.accept({ ...OWN_REQUEST, body, caller, room })
    } finally {
      room.release()
    }
  }
  const { stop } = startSelfTelemetry({ service: 'loopkit-collector', version, clock, send })
  const mayRecordSuccess = createAllowance(SUCCESSES_PER_S)
  const accept = async (request: ExportRequest): Promise<Outcome> => {
    const startTime = clock.nowMs()
    const outcome = await pipeline.accept(request)
    if (request.caller.projectId === OWN_PROJECT_ID) return outcome
    const endTime = clock.nowMs()
    if (outcome.kind === 'refused' || mayRecordSuccess(endTime)) record(request, outcome, startTime, endTime)
    return outcome
  }
  return { observed: { ...pipeline, accept }, stop }
}

/** Answers true so many times in each second of the clock. */
function createAllowance(perSecond: number): (nowMs: number) => boolean {
  let second = 0
  let left = 0
  return (nowMs) => {
    const now = Math.floor(nowMs / 1000)
    if (now !== second) {
      second = now
      left = perSecond
    }
    return left-- > 0
  }
}

const OWN_REQUEST = {
  transport: 'internal',
  signal: 'traces',
  encoding: 'protobuf',
  compression: 'identity',
  userAgent: 'loopkit-collector',
} as const

function record({ signal, body, encoding }: ExportRequest, outcome: Outcome, startTime: number, endTime: number): void {
  const span = ownTracer().startSpan(`export ${signal}`, {
    kind: SERVER,
    startTime,
    attributes: { 'loopkit.signal': signal, 'loopkit.encoding': encoding, 'loopkit.body.size': body.length },
  })
  if (outcome.kind === 'refused') {
    span.setAttribute('error.type', outcome.code)
    if (OWN_FAULTS.has(outcome.code)) span.setStatus({ code: ERROR, message: outcome.code })
  }
  span.end(endTime)
}
