import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { decodeTraces } from '@loopkit/shared/otlp/decode-traces'
import { toHex } from '@loopkit/shared/otlp/ids'
import { transcodeTracesJson } from '@loopkit/shared/otlp/transcode-json'
import { detect } from '@loopkit/shared/signals/detect'
import { createJudgeFilter } from '@loopkit/shared/signals/judge-filter'
import type { TraceSpan } from '@loopkit/shared/signals/model'
import { viewSpan } from '@loopkit/shared/span/view-span'
import { readBytes, readJsonSet } from './read-set.ts'

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
  part?: string
  errors: TrailLabel[]
}

/** Files of the folder that hold requests, packed or not, in the order of their names. */
export function trailFiles(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => /\.otlp\.json(?:\.gz)?$/.test(name))
    .sort()
    .map((name) => join(folder, name))
}

/** By trace id. */
export function readTrailLabels(folder: string): Map<string, TraceLabels> {
  return new Map(Object.entries(readJsonSet(join(folder, 'labels.json')) as Record<string, TraceLabels>))
}

/** The labelled traces of the folder, read as the decision reads them: the same transcoding, filter, view and detection. */
export function readTrail(folder: string): TrailTrace[] {
  const labels = readTrailLabels(folder)
  return trailFiles(folder).flatMap((file) => {
    const traces = Map.groupBy(readRequest(readBytes(file)), ({ span }) => toHex(span.traceId))
    return [...traces].flatMap(([traceId, spans]) => {
      const labelled = labels.get(traceId)
      if (labelled === undefined) return []
      const { part = 'other', errors } = labelled
      return [{ traceId, part, spans, labels: errors.map(({ category, location }) => ({ category, location })) }]
    })
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
