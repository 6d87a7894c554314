import { encodeTraces } from '@loopkit/shared/otlp/encode-traces'
import { toHex } from '@loopkit/shared/otlp/ids'
import type { OtlpResource, OtlpScope, OtlpValue, SpanInContext } from '@loopkit/shared/otlp/model'
import { systemClock } from '@loopkit/shared/runtime/clock'
import { encodeCommits } from '@loopkit/shared/segment/header'
import { packSegment } from '@loopkit/shared/segment/pack-segment'
import { packTraceHashes } from '@loopkit/shared/segment/trace-hashes'
import { answerRecords } from './answer-records.ts'
import { answerSession, type SessionView } from './sessions/answer-session.ts'
import { openEmptyTelemetry, type TelemetryConnection } from './telemetry-file.ts'

/** A trace that came in many bodies, as a large one does. */
const SPANS = 1_000
const BODIES = 50
/** Long enough for the compiler to have seen what a page does; a start must not take much longer for it. */
const REHEARSAL_MS = 300
const ROUNDS_MAX = 30
/** The line of a record is made far more often at a time than the whole of it. */
const VIEWS: readonly SessionView[] = ['skeleton', 'skeleton', 'full']
const PAGE = { budgetTokens: null, limit: SPANS, after: null, eventFromMs: null, eventToMs: null }
const EVERYTHING = { fromMs: null, toMs: null, eventFromMs: null, eventToMs: null, service: null, signal: null }
const LIMITS = { attributesShownMax: 128, attributeShownMaxBytes: 8_192 }
const PROJECT_NO = 1

/** Reads a made-up trace from memory, so that the first person who asks does not wait until reading is compiled. */
export function answerRehearsal(_connection: TelemetryConnection, _question: null): null {
  const connection = openEmptyTelemetry()
  try {
    storeTrace(connection)
    const own = { projectNo: PROJECT_NO, projectId: 'rehearsal', off: [], limits: LIMITS }
    const endMs = systemClock.monotonicMs() + REHEARSAL_MS
    for (let round = 0; round < ROUNDS_MAX && systemClock.monotonicMs() < endMs; round++) {
      connection.segments.begin()
      for (const view of VIEWS) answerSession(connection, { ...own, ...PAGE, id: toHex(TRACE_ID), view })
      answerRecords(connection, { ...own, ...EVERYTHING, traceId: TRACE_ID, spanId: null, limit: 100, after: null })
    }
  } finally {
    connection.db.close()
  }
  return null
}

function storeTrace({ db, hasher }: TelemetryConnection): void {
  const times = { receivedMs: 0, eventMinMs: 0, eventMaxMs: SPANS }
  const hashes = packTraceHashes([hasher(PROJECT_NO, TRACE_ID)])
  const insert = db.prepare(
    `insert into segment (project_no, kind, first_commit, last_commit, commits, records, received_min_ms, received_max_ms,
       event_min_ms, event_max_ms, trace_hashes, body, body_bytes) values (?, 'span', ?, ?, ?, ?, 0, 0, 0, ?, ?, ?, ?)`,
  )
  const records = SPANS / BODIES
  for (let number = 1; number <= BODIES; number++) {
    const body = encodeTraces(Array.from({ length: records }, (_, at) => makeSpan((number - 1) * records + at)))
    const commits = encodeCommits([{ number, records, accepted: records, ...times }])
    insert.run(PROJECT_NO, number, number, commits, records, SPANS, hashes, packSegment([body]), body.length)
  }
}

const TRACE_ID = new Uint8Array(16).fill(0x11)
const EMPTY = { attributes: new Map<string, OtlpValue>(), droppedAttributesCount: 0, schemaUrl: '' }
const RESOURCE: OtlpResource = { ...EMPTY, attributes: new Map<string, OtlpValue>([['service.name', 'rehearsal']]) }
const SCOPE: OtlpScope = { ...EMPTY, name: 'rehearsal', version: '' }

function makeSpan(at: number): SpanInContext {
  const isChat = at % 2 === 0
  const attributes: [string, OtlpValue][] = isChat
    ? [
        ['gen_ai.operation.name', 'chat'],
        ['gen_ai.request.model', 'rehearsal'],
        ['gen_ai.usage.input_tokens', BigInt(at)],
        ['gen_ai.output.messages', `answer ${at}`],
      ]
    : [
        ['http.request.method', 'GET'],
        ['http.route', '/rehearsal/:id'],
        ['url.full', `https://rehearsal.invalid/${at}`],
      ]
  const id = new Uint8Array(8)
  new DataView(id.buffer).setUint32(4, at + 1)
  return {
    resource: RESOURCE,
    scope: SCOPE,
    span: {
      traceId: TRACE_ID,
      spanId: id,
      parentSpanId: null,
      traceState: '',
      flags: 0,
      name: isChat ? 'chat' : 'GET',
      kind: 1,
      startUnixNano: BigInt(at) * 1_000_000n,
      endUnixNano: BigInt(at + 1) * 1_000_000n,
      attributes: new Map(attributes),
      droppedAttributesCount: 0,
      events: [],
      droppedEventsCount: 0,
      links: [],
      droppedLinksCount: 0,
      status: at % 50 === 0 ? { code: 2, message: `rehearsed ${at}` } : { code: 0, message: '' },
    },
  }
}
