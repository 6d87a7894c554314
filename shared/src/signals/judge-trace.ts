import { toHex } from '../otlp/ids.ts'
import { blame } from './blame.ts'
import { adoptExceptions, blameLogs, type LogBlame, sortLogs } from './blame-logs.ts'
import { createJudgeMemory, type JudgeMemory } from './judge-memory.ts'
import type { Failure, JudgedTrace, TraceSpan } from './model.ts'
import { sampleWeight } from './sample-weight.ts'
import { sessionOfSpans, sumSessions } from './sessions.ts'
import { buildTraceTree } from './trace-tree.ts'

/**
 * Judges all that is known of one trace: every failure at its origin, once, with the ancestors that passed it on, and every span's session.
 * Log records among the spans tell of a span's failure or have failed by themselves.
 * Pure: the same spans in any order give the same answer, with a memory of other traces and without, cycles and chains of any length end, and time is linear in the spans.
 */
export function judgeTrace(
  projectId: string,
  records: readonly TraceSpan[],
  memory: JudgeMemory = createJudgeMemory(projectId),
): JudgedTrace {
  const logs = sortLogs(records.filter(({ span }) => span.log))
  const spans = records.filter(({ span }) => !span.log)
  const tree = buildTraceTree(adoptExceptions(spans, logs))
  // Signals that only a whole trace can show are detected here, on the tree, before blame.
  const blamed = blame(tree, memory.templateOf)
  const { fingerprintOf } = memory
  const keyOf = ({ view, detection }: TraceSpan) => toHex(fingerprintOf(view, detection!).key)
  const byLogs = logs.length === 0 ? NO_LOGS : blameLogs(tree, blamed, { logs, keyOf })
  const whole = spans.length === records.length ? tree : buildTraceTree(records)
  const sessions = sessionOfSpans(whole)
  const sessionOf = new Map(whole.ids.map((id, i) => [id, sessions[i]!]))
  const toFailure = ({ span, view, detection }: TraceSpan, propagatedTo: TraceSpan[]): Failure => ({
    span,
    view,
    detection: detection!,
    fingerprint: fingerprintOf(view, detection!),
    sessionId: sessionOf.get(toHex(span.spanId))!,
    weight: sampleWeight(span.traceState),
    propagatedTo,
  })
  const origins = [...blamed.keys()].sort((a, b) => a - b)
  const failures = [
    ...origins.map((i) =>
      toFailure(tree.spans[i]!, [...blamed.get(i)!.map((ancestor) => tree.spans[ancestor]!), ...(byLogs.told.get(i) ?? [])]),
    ),
    ...byLogs.own.map(({ log, named, repeats }) => toFailure(atSpan(log, tree.spans[named]), repeats)),
  ]
  return { failures, sessions: sumSessions(whole, sessions, failures), sessionOf }
}

const NO_LOGS: LogBlame = { told: new Map(), own: [] }

/** The failure of a log record on a span counts against the runs of that span's operation. */
function atSpan(log: TraceSpan, named: TraceSpan | undefined): TraceSpan {
  if (named === undefined || named.view.service !== log.view.service) return log
  return { ...log, view: { ...log.view, operation: named.view.operation } }
}
