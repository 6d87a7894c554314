import { encodeTraces } from '@loopkit/shared/otlp/encode-traces'
import type { OtlpResource, OtlpScope, OtlpValue, SpanInContext } from '@loopkit/shared/otlp/model'
import { encodeCommits } from '@loopkit/shared/segment/header'
import { packSegment } from '@loopkit/shared/segment/pack-segment'
import { packTraceHashes } from '@loopkit/shared/segment/trace-hashes'
import { answerSession, type SessionView } from './answer-session.ts'
import { openEmptyTelemetry, type TelemetryConnection } from './telemetry-file.ts'

/** Enough for the compiler to have seen what a page does: a quarter of a second, in the background. */
const SPANS = 1_000
const ROUNDS = 6
const VIEWS: readonly SessionView[] = ['skeleton', 'full']
const LIMITS = { attributesShownMax: 128, attributeShownMaxBytes: 8_192 }
const PROJECT_NO = 1

/** Reads a made-up trace from memory, so that the first person who asks does not wait until reading is compiled. */
export function answerRehearsal(_connection: TelemetryConnection, _question: null): null {
  const connection = openEmptyTelemetry()
  try {
    storeTrace(connection)
    const question = { projectNo: PROJECT_NO, projectId: 'rehearsal', off: [], id: '11'.repeat(16), limits: LIMITS }
    const page = { budgetTokens: null, limit: SPANS, after: null, eventFromMs: null, eventToMs: null }
    for (let round = 0; round < ROUNDS; round++)
      for (const view of VIEWS) answerSession(connection, { ...question, ...page, view })
  } finally {
    connection.db.close()
  }
  return null
}

function storeTrace({ db, hasher }: TelemetryConnection): void {
  const spans = Array.from({ length: SPANS }, (_, at) => makeSpan(at))
  const body = encodeTraces(spans)
  const hash = hasher(PROJECT_NO, spans[0]!.span.traceId)
  const times = { receivedMs: 0, eventMinMs: 0, eventMaxMs: SPANS }
  db.prepare(
    `insert into segment (project_no, kind, first_commit, last_commit, commits, records, received_min_ms, received_max_ms,
       event_min_ms, event_max_ms, trace_hashes, body, body_bytes) values (?, 'span', 1, 1, ?, ?, 0, 0, 0, ?, ?, ?, ?)`,
  ).run(
    PROJECT_NO,
    encodeCommits([{ number: 1, records: SPANS, accepted: SPANS, ...times }]),
    SPANS,
    SPANS,
    packTraceHashes([hash]),
    packSegment([body]),
    body.length,
  )
}

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
      traceId: new Uint8Array(16).fill(0x11),
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
