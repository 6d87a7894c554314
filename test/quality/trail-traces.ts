import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { decodeTraces } from '@loopkit/shared/otlp/decode-traces'
import { toHex } from '@loopkit/shared/otlp/ids'
import { transcodeTracesJson } from '@loopkit/shared/otlp/transcode-json'
import { detect } from '@loopkit/shared/signals/detect'
import { createJudgeFilter } from '@loopkit/shared/signals/judge-filter'
import type { TraceSpan } from '@loopkit/shared/signals/model'
import { viewSpan } from '@loopkit/shared/span/view-span'

const JSON_LIMITS = { jsonDepthMax: 300, jsonValuesMax: 4_000_000 }
const NONE_OFF = new Set<never>()

/** What people said of one trace: at which span which kind of error. */
export interface TrailLabel {
  category: string
  location: string
}

export interface TrailTrace {
  traceId: string
  part: string
  spans: TraceSpan[]
  labels: TrailLabel[]
}

interface TraceLabels {
  part: string
  errors: TrailLabel[]
}

/** By trace id, those that have a file. */
export function readTrailLabels(folder: string): Map<string, TraceLabels> {
  const labels = JSON.parse(readFileSync(join(folder, 'labels.json'), 'utf8')) as Record<string, TraceLabels>
  const files = new Set(readdirSync(folder))
  return new Map(Object.entries(labels).filter(([traceId]) => files.has(`${traceId}.otlp.json.gz`)))
}

/** The labelled traces of the folder, read as the decision reads them: the same transcoding, filter, view and detection. */
export function readTrail(folder: string): TrailTrace[] {
  const labels = readTrailLabels(folder)
  return readdirSync(folder)
    .filter((file) => file.endsWith('.otlp.json.gz'))
    .sort()
    .map((file) => {
      const spans = readRequest(gunzipSync(readFileSync(join(folder, file))))
      const traceId = toHex(spans[0]!.span.traceId)
      const { part, errors } = labels.get(traceId)!
      return { traceId, part, spans, labels: errors.map(({ category, location }) => ({ category, location })) }
    })
}

/** The spans of one JSON request, each detected as at the door. */
export function readRequest(json: Uint8Array): TraceSpan[] {
  const filter = createJudgeFilter()
  return [...decodeTraces(transcodeTracesJson(json, JSON_LIMITS).body, filter)].map((ctx) => {
    const view = viewSpan(ctx)
    return { span: ctx.span, view, detection: detect(ctx.span, view, NONE_OFF) }
  })
}
