import { toHex } from '../otlp/ids.ts'
import type { CostOf } from '../span/price-call.ts'
import { blame } from './blame.ts'
import { adoptExceptions, blameLogs, type LogBlame, sortLogs } from './blame-logs.ts'
import type { Regroup } from './fingerprint-rules.ts'
import { findHints } from './hints/find-hints.ts'
import { createJudgeMemory, type JudgeMemory } from './judge-memory.ts'
import type { Failure, JudgedTrace, TraceSpan } from './model.ts'
import { findRunEntries } from './run-entries.ts'
import { sampleWeight } from './sample-weight.ts'
import { sessionOfSpans, sumSessions } from './sessions.ts'
import type { SignalType } from './signal-type.ts'
import { adoptConsequences, isRepeatable } from './soft/adopt-consequences.ts'
import { findSoft } from './soft/find-soft.ts'
import { mayBeSoft } from './soft/may-be-soft.ts'
import { createSoftTrace } from './soft/soft-trace.ts'
import { DEFAULT_SOFT_THRESHOLDS, type SoftThresholds } from './soft/thresholds.ts'
import { buildTraceTree, NO_PARENT, type TraceTree } from './trace-tree.ts'

/** How soft signals are judged; hard ones were detected span by span. */
export interface JudgeRules {
  off: ReadonlySet<SignalType>
  thresholds: SoftThresholds
  /** Ten minutes have passed since the last span, so one that has not ended never will. */
  isOver: boolean
  /** Hints cost reading what every step said; only who shows them asks. */
  withHints?: boolean
  /** The project's own grouping, in place of the scheme's. */
  regroup?: Regroup | undefined
  /** Without it only costs that were sent are summed. */
  costOf?: CostOf | undefined
}

const DEFAULT_RULES: JudgeRules = { off: new Set(), thresholds: DEFAULT_SOFT_THRESHOLDS, isOver: false }

/**
 * Judges all that is known of one trace: every failure at its origin, once, with the ancestors that passed it on, and every span's session.
 * Log records among the spans tell of a span's failure or have failed by themselves.
 * Pure: the same spans in any order give the same answer, with a memory of other traces and without, cycles and chains of any length end, and time is linear in the spans.
 */
export function judgeTrace(
  projectId: string,
  records: readonly TraceSpan[],
  memory: JudgeMemory = createJudgeMemory(projectId),
  rules: JudgeRules = DEFAULT_RULES,
): JudgedTrace {
  const logs = sortLogs(records.filter(({ span }) => span.log))
  const spans = records.filter(({ span }) => !span.log)
  const tree = buildTraceTree(adoptExceptions(spans, logs))
  const blamed = blame(tree, memory.templateOf)
  const softTrace = mayBeSoft(tree, rules) ? createSoftTrace(tree, blamed, rules) : null
  const soft = softTrace === null ? [] : adoptConsequences(tree, blamed, findSoft(softTrace, rules.off))
  const { fingerprintOf } = memory
  const keyOf = ({ view, detection }: TraceSpan) => toHex(fingerprintOf(view, detection!).key)
  const byLogs = logs.length === 0 ? NO_LOGS : blameLogs(tree, blamed, { logs, keyOf })
  const whole = spans.length === records.length ? tree : buildTraceTree(records)
  const sessions = sessionOfSpans(whole)
  const sessionOf = new Map(whole.ids.map((id, i) => [id, sessions[i]!]))
  const regrouped = (failing: TraceSpan) => {
    const base = fingerprintOf(failing.view, failing.detection!)
    return rules.regroup ? rules.regroup(failing, base) : base
  }
  const hasEnded = createHasEnded(tree)
  const toFailure = (
    { span, view, detection }: TraceSpan,
    { propagatedTo, endedTrace }: Pick<Failure, 'propagatedTo' | 'endedTrace'>,
  ): Failure => ({
    span,
    view,
    detection: detection!,
    fingerprint: regrouped({ span, view, detection }),
    sessionId: sessionOf.get(toHex(span.spanId))!,
    weight: sampleWeight(span.traceState),
    propagatedTo,
    endedTrace,
  })
  const origins = [...blamed.keys()].sort((a, b) => a - b)
  const failures = [
    ...origins.map((i) => {
      const above = blamed.get(i)!
      const propagatedTo = [...above.map((ancestor) => tree.spans[ancestor]!), ...(byLogs.told.get(i) ?? [])]
      return toFailure(tree.spans[i]!, { propagatedTo, endedTrace: hasEnded([i, ...above]) })
    }),
    ...soft.map(({ at, detection, alsoAt }) => {
      // An answer that was cut or refused takes the run with it only where an error says so.
      const seenAt = isRepeatable(detection.signal) ? alsoAt : [...failingFrom(tree, at), ...alsoAt]
      const propagatedTo = alsoAt.map((i) => tree.spans[i]!)
      return toFailure({ ...tree.spans[at]!, detection }, { propagatedTo, endedTrace: hasEnded(seenAt) })
    }),
    ...byLogs.own.map(({ log, named, repeats }) =>
      toFailure(atSpan(log, tree.spans[named]), { propagatedTo: repeats, endedTrace: hasEnded([named]) }),
    ),
  ]
  const toHint = ({ at, kind, because }: ReturnType<typeof findHints>[number]) => {
    const spanId = tree.ids[at]!
    return { spanId, sessionId: sessionOf.get(spanId)!, kind, because }
  }
  const hints = softTrace === null || !rules.withHints ? [] : findHints(softTrace).map(toHint)
  return { failures, ...sessionParts(whole, { sessions, failures, costOf: rules.costOf }), sessionOf, hints }
}

function sessionParts(
  whole: TraceTree,
  { sessions, failures, costOf }: { sessions: string[]; failures: Failure[]; costOf: CostOf | undefined },
): Pick<JudgedTrace, 'sessions' | 'runEntries'> {
  return { sessions: sumSessions(whole, sessions, failures, costOf), runEntries: findRunEntries(whole, sessions) }
}

const NO_LOGS: LogBlame = { told: new Map(), own: [] }

const CONSUMER = 5

/**
 * Whether an error that was seen at these spans took the whole run with it: one of them is the top of its trace, or stands below a span
 * that never came, so that nothing shows who survived it, or is a consumer, for which nobody waits. A log record that names no span of
 * the trace (`NO_PARENT`) shows no survivor either; one that names a healthy span was written by who went on.
 */
function createHasEnded({ spans, parents }: TraceTree): (seenAt: readonly number[]) => boolean {
  const isTop = (i: number) => parents[i] === NO_PARENT || spans[i]!.span.kind === CONSUMER
  return (seenAt) => seenAt.some((i) => i === NO_PARENT || (isTop(i) && isLost(spans[i]!)))
}

/** The span and the failing ones that follow above it. */
function failingFrom({ spans, parents }: TraceTree, at: number): number[] {
  const seenAt = [at]
  for (let up = parents[at]!; up !== NO_PARENT && spans[up]!.detection !== null; up = parents[up]!) seenAt.push(up)
  return seenAt
}

/** A span that ended well was survived, whatever was logged in it. */
function isLost({ detection, span }: TraceSpan): boolean {
  return detection !== null || span.status.code !== 1
}

/** The failure of a log record on a span counts against the runs of that span's operation. */
function atSpan(log: TraceSpan, named: TraceSpan | undefined): TraceSpan {
  if (named === undefined || named.view.service !== log.view.service) return log
  return { ...log, view: { ...log.view, operation: named.view.operation } }
}
