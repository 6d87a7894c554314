import { decodeTraces } from '../otlp/decode-traces.ts'
import { toHex } from '../otlp/ids.ts'
import type { SpanInContext } from '../otlp/model.ts'
import { transcodeTracesJson } from '../otlp/transcode-json.ts'
import { detect } from '../signals/detect.ts'
import { createJudgeMemory } from '../signals/judge-memory.ts'
import { judgeTrace } from '../signals/judge-trace.ts'
import type { SignalType } from '../signals/signal-type.ts'
import { DEFAULT_SOFT_THRESHOLDS } from '../signals/soft/thresholds.ts'
import { normalizeSpan } from '../span/normalize-span.ts'
import type { SpanRecord } from '../span/record.ts'
import { viewSpan } from '../span/view-span.ts'

const JSON_LIMITS = { jsonDepthMax: 300, jsonValuesMax: 4_000_000 }
/** As the product shows records by default. */
const SHOWN = { attributesShownMax: 256, attributeShownMaxBytes: 32_768 }

/**
 * The records of an OTLP request in JSON, judged as the product judges a trace that is over: what a run of a test sent to a file reads
 * like what it would have sent to a collector. Throws what the reader throws on text that is no OTLP.
 */
export function recordsOfRequest(json: Uint8Array): SpanRecord[] {
  const spans = [...decodeTraces(transcodeTracesJson(json, JSON_LIMITS).body)]
  return [...Map.groupBy(spans, ({ span }) => toHex(span.traceId)).values()].flatMap(recordsOfTrace)
}

function recordsOfTrace(spans: SpanInContext[]): SpanRecord[] {
  const off = new Set<SignalType>()
  const judged = spans.map((ctx) => {
    const view = viewSpan(ctx)
    return { span: ctx.span, view, detection: detect(ctx.span, view, off) }
  })
  const rules = { off, thresholds: DEFAULT_SOFT_THRESHOLDS, isOver: true }
  const { failures, sessionOf } = judgeTrace('run', judged, createJudgeMemory('run'), rules)
  const signals = new Map(failures.map(({ span, detection }) => [toHex(span.spanId), detection.signal]))
  return spans.map((ctx, at) => {
    const id = toHex(ctx.span.spanId)
    const signalType = signals.get(id) ?? judged[at]!.detection?.signal ?? null
    return normalizeSpan(ctx, { receivedAtMs: 0, sessionId: sessionOf.get(id)!, signalType, limits: SHOWN })
  })
}
