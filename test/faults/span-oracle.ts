import { createHash } from 'node:crypto'
import { callApi, sendOtlp } from '../harness/http.ts'
import { type SpanJson, spanJson, traceRequest } from '../harness/otlp-json.ts'
import { encodeTraceRequest } from '../harness/otlp-protobuf.ts'

/** What the oracle holds against what is stored. Every list is empty when the product kept its word. */
export interface OracleVerdict {
  acknowledged: number
  /** Batches whose answer was lost or a 503, and that were sent again. */
  sentAgain: number
  lost: number
  doubled: number
  /** The first of each kind, to look into. */
  missing: string[]
  twice: string[]
  spurious: string[]
  changed: string[]
}

/** What one try to deliver a batch came to. */
export interface Answer {
  /** 0: none came. */
  status: number
  retryAfter: string | null
  sentMs: number
  answeredMs: number
}

export interface SpanOracle {
  /** Sends batch after batch until told to stop; a batch without an acknowledgement is sent again, as it was. */
  drive(sender: number, isOver: () => boolean): Promise<void>
  /** Ends every sender, also one that still asks for an acknowledgement; its promise is then rejected. */
  abandon(): void
  acknowledged(): number
  /** Requests that have no answer yet. */
  underWay(): number
  /** Reads every trace back and compares. */
  check(analyzerUrl: string, agentKey: string): Promise<OracleVerdict>
}

const SPANS_PER_BATCH = 10
const BATCHES_PER_TRACE = 8
/** Keeps the load at a few thousand spans a second: the point is the moment of the kill, not the volume. */
const PAUSE_MS = 3
const RETRY_MS = 40
const TRIES_MAX = 1000
/** Sent ids, at most this many named in a verdict. */
const NAMED_MAX = 20

/**
 * Issues spans with unique ids, each with a name that follows from its id, and keeps as an obligation what was answered with 200.
 * Traces arrive in several batches and in both encodings. Any answer but 200 and 503 is a failure of the run.
 */
export function createSpanOracle(
  otlpUrl: string,
  producerKey: string,
  onAnswer: (answer: Answer) => void = () => {},
): SpanOracle {
  const traces = new Map<string, Map<string, string>>()
  const counts = { acknowledged: 0, sentAgain: 0, underWay: 0 }
  let abandoned = false
  const batchesSent = new Map<number, number>()

  async function deliver(body: unknown): Promise<void> {
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      counts.underWay++
      const sentMs = performance.now()
      const answer = await sendOtlp(otlpUrl, producerKey, body).catch(() => null)
      counts.underWay--
      const retryAfter = answer?.headers.get('retry-after') ?? null
      onAnswer({ status: answer?.status ?? 0, retryAfter, sentMs, answeredMs: performance.now() })
      if (answer?.status === 200) return
      if (answer && answer.status !== 503)
        throw new Error(`the collector answered ${answer.status}: ${answer.text.slice(0, 200)}`)
      if (abandoned) throw new Error('the load was abandoned')
      counts.sentAgain++
      await pause(RETRY_MS)
    }
    throw new Error('a batch was never acknowledged')
  }

  return {
    drive: async (sender, isOver) => {
      while (!isOver() && !abandoned) {
        const batch = batchesSent.get(sender) ?? 0
        batchesSent.set(sender, batch + 1)
        const spans = issueBatch(sender, batch)
        const request = traceRequest('oracle', spans)
        await deliver(sender % 2 === 0 ? request : encodeTraceRequest(request))
        counts.acknowledged += spans.length
        for (const { traceId, spanId, name } of spans) {
          if (!traces.has(traceId)) traces.set(traceId, new Map())
          traces.get(traceId)?.set(spanId, name)
        }
        await pause(PAUSE_MS)
      }
    },
    abandon: () => {
      abandoned = true
    },
    acknowledged: () => counts.acknowledged,
    underWay: () => counts.underWay,
    check: async (analyzerUrl, agentKey) => {
      const { acknowledged, sentAgain } = counts
      const verdict: OracleVerdict = {
        acknowledged,
        sentAgain,
        lost: 0,
        doubled: 0,
        missing: [],
        twice: [],
        spurious: [],
        changed: [],
      }
      for (const [traceId, expected] of traces) {
        compare(verdict, traceId, expected, await readTrace(analyzerUrl, agentKey, traceId))
      }
      return verdict
    },
  }
}

function issueBatch(sender: number, batch: number): SpanJson[] {
  const traceId = digest(`${sender}:${Math.floor(batch / BATCHES_PER_TRACE)}`, 32)
  return Array.from({ length: SPANS_PER_BATCH }, (_, at) => {
    const spanId = digest(`${sender}:${batch}:${at}`, 16)
    return spanJson({ traceId, spanId, name: nameOf(spanId), status: at === 0 ? { code: 2, message: `failure ${batch}` } : {} })
  })
}

const digest = (text: string, digits: number): string => createHash('sha256').update(text).digest('hex').slice(0, digits)
const nameOf = (spanId: string): string => `work ${digest(spanId, 8)}`
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

async function readTrace(analyzerUrl: string, key: string, traceId: string): Promise<{ span_id: string; name: string }[]> {
  const answer = await callApi(`${analyzerUrl}/v1/sessions/${traceId}`, { key })
  if (answer.status === 404) return []
  if (answer.status !== 200) throw new Error(`reading trace ${traceId} answered ${answer.status}: ${answer.text.slice(0, 200)}`)
  return answer.json<{ items: { span_id: string; name: string }[] }>().items
}

function compare(
  verdict: OracleVerdict,
  traceId: string,
  expected: Map<string, string>,
  stored: { span_id: string; name: string }[],
): void {
  const seen = new Set<string>()
  const note = (list: string[], spanId: string) => list.length < NAMED_MAX && list.push(`${traceId}/${spanId}`)
  for (const { span_id, name } of stored) {
    if (seen.has(span_id)) {
      verdict.doubled++
      note(verdict.twice, span_id)
    }
    seen.add(span_id)
    if (!expected.has(span_id)) note(verdict.spurious, span_id)
    else if (expected.get(span_id) !== name) note(verdict.changed, span_id)
  }
  for (const spanId of expected.keys()) {
    if (seen.has(spanId)) continue
    verdict.lost++
    note(verdict.missing, spanId)
  }
}
