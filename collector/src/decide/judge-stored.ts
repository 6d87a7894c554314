import { OWN_PROJECT_ID } from '@loopkit/shared/database/control/own-project'
import type { SqliteDatabase } from '@loopkit/shared/database/open'
import { readTraces, type StoredSpan, TooManySpansError } from '@loopkit/shared/database/telemetry/read-trace'
import type { TraceHasher } from '@loopkit/shared/database/telemetry/trace-hash'
import type { TraceIndex } from '@loopkit/shared/database/telemetry/trace-index'
import type { AttributeFilter } from '@loopkit/shared/otlp/decode-traces'
import { toHex } from '@loopkit/shared/otlp/ids'
import type { OtlpResource, SpanInContext } from '@loopkit/shared/otlp/model'
import { type ChangeMarker, createMarkerMemory, findMarkers, MARKER_KEYS } from '@loopkit/shared/signals/change-markers'
import { detect } from '@loopkit/shared/signals/detect'
import { createRegroup, type ProjectRules, ruleAttributes } from '@loopkit/shared/signals/fingerprint-rules'
import { createJudgeFilter } from '@loopkit/shared/signals/judge-filter'
import { createJudgeMemory, type JudgeMemory } from '@loopkit/shared/signals/judge-memory'
import { judgeTrace } from '@loopkit/shared/signals/judge-trace'
import type { JudgedTrace, TraceSpan } from '@loopkit/shared/signals/model'
import type { SignalType } from '@loopkit/shared/signals/signal-type'
import { DEFAULT_SOFT_THRESHOLDS, type SoftThresholds } from '@loopkit/shared/signals/soft/thresholds'
import type { CostOf } from '@loopkit/shared/span/price-call'
import { type ResourceView, viewResource } from '@loopkit/shared/span/view-resource'
import { viewSpan } from '@loopkit/shared/span/view-span'
import type { OpenTrace } from './open-rows.ts'

export interface Judging {
  trace: OpenTrace
  /** null: it has more spans than are judged together. Judged by a part of them, an error would be blamed on the wrong span. */
  judged: JudgedTrace | null
  /** A span has not ended and nothing says why: it is judged again when nothing came for long enough. */
  awaitsEnd: boolean
  /** What its agents were made of; none of the instance's own. */
  markers: ChangeMarker[]
}

export interface JudgeDeps {
  db: SqliteDatabase
  hasher: TraceHasher
  index: TraceIndex
  filter: AttributeFilter
  signalsOff: ReadonlySet<SignalType>
  thresholds?: SoftThresholds
  costOf?: CostOf
  /** Nothing will come any more: a span that has not ended never will. */
  isOver: (trace: OpenTrace) => boolean
  /** Spans of one trace that are judged together. */
  traceSpansMax?: number
}

/** Spans held in memory at once, some 1.5 kB each, and characters of their texts: those of models are long. */
const TOTAL_SPANS_MAX = 20_000
const TOTAL_TEXT_MAX_CHARS = 12_000_000
/** Of one trace; some 75 MB while it is judged. */
const TRACE_SPANS_MAX = 50_000

/** Projects whose texts are remembered; the one that was not heard of for longest goes first. */
const MEMORIES_MAX = 8

/** Judges traces of one project by all their stored spans; each segment is opened once for as many as fit in memory. */
export type StoredJudge = (project: JudgedProject, traces: readonly OpenTrace[]) => Judging[]

export interface JudgedProject {
  projectNo: number
  projectId: string
  /** How it groups failures beyond the scheme. */
  rules: ProjectRules
}

export function createStoredJudge(deps: JudgeDeps): StoredJudge {
  const memories = new Map<string, JudgeMemory>()
  const markerMemory = createMarkerMemory()

  function memoryOf(projectId: string): JudgeMemory {
    const memory = memories.get(projectId) ?? createJudgeMemory(projectId)
    memories.delete(projectId)
    memories.set(projectId, memory)
    if (memories.size > MEMORIES_MAX) memories.delete(memories.keys().next().value!)
    return memory
  }

  function filterOf(rules: ProjectRules): AttributeFilter {
    const attributes = ruleAttributes(rules)
    return attributes.length === 0 ? deps.filter : createJudgeFilter([...MARKER_KEYS, ...attributes])
  }

  return function judge(project: JudgedProject, traces: readonly OpenTrace[]): Judging[] {
    const { projectNo, projectId } = project
    const cut = new Set<string>()
    const spans = readTogether({ ...deps, filter: filterOf(project.rules) }, projectNo, traces, cut)
    if (spans === null) {
      const half = Math.ceil(traces.length / 2)
      return [traces.slice(0, half), traces.slice(half)].flatMap((part) => judge(project, part))
    }
    const memory = memoryOf(projectId)
    const toTraceSpan = createToTraceSpan(deps.signalsOff)
    return traces.map((trace) => {
      const id = toHex(trace.traceId)
      if (cut.has(id)) return { trace, judged: null, awaitsEnd: false, markers: [] }
      const stored = spans.get(id) ?? []
      const records = stored.map(toTraceSpan)
      const regroup = createRegroup(projectId, project.rules, contextsOf(stored))
      const rules = {
        regroup,
        off: deps.signalsOff,
        thresholds: deps.thresholds ?? DEFAULT_SOFT_THRESHOLDS,
        isOver: deps.isOver(trace),
        costOf: deps.costOf,
      }
      const awaitsEnd = !rules.isOver && !rules.off.has('incomplete') && records.some(isUnended)
      const markers = projectId === OWN_PROJECT_ID ? [] : findMarkers(records, markerMemory)
      return { trace, judged: judgeTrace(projectId, records, memory, rules), awaitsEnd, markers }
    })
  }
}

function* contextsOf(stored: readonly StoredSpan[]): Generator<SpanInContext> {
  for (const { ctx } of stored) yield ctx
}

/** null: together they have too many spans. */
function readTogether(
  { db, hasher, index, filter, traceSpansMax = TRACE_SPANS_MAX }: JudgeDeps,
  projectNo: number,
  traces: readonly OpenTrace[],
  cut: Set<string>,
): Map<string, StoredSpan[]> | null {
  const most = traces.length > 1 ? { totalSpansMax: TOTAL_SPANS_MAX, totalTextMaxChars: TOTAL_TEXT_MAX_CHARS } : {}
  const options = { filter, index, cut, spansMax: traceSpansMax, ...most }
  const traceIds = traces.map(({ traceId }) => traceId)
  try {
    return readTraces(db, hasher, projectNo, traceIds, options)
  } catch (error) {
    if (error instanceof TooManySpansError) return null
    throw error
  }
}

function isUnended({ span, detection }: TraceSpan): boolean {
  return span.endUnixNano === 0n && !span.log && detection === null
}

/** Spans of one envelope share their resource: it is read once for all of them. */
function createToTraceSpan(signalsOff: ReadonlySet<SignalType>): (stored: StoredSpan) => TraceSpan {
  const resources = new Map<OtlpResource, ResourceView>()
  return ({ ctx }) => {
    let shared = resources.get(ctx.resource)
    if (!shared) {
      shared = viewResource(ctx.resource)
      resources.set(ctx.resource, shared)
    }
    const view = viewSpan(ctx, shared)
    return { span: ctx.span, view, detection: detect(ctx.span, view, signalsOff) }
  }
}
