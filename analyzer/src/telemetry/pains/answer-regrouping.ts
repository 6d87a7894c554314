import type { StoredSpan } from '@loopkit/shared/database/telemetry/read-trace'
import { fromHex, toHex } from '@loopkit/shared/otlp/ids'
import { type ProjectRules, ruleAttributes } from '@loopkit/shared/signals/fingerprint-rules'
import type { Failure } from '@loopkit/shared/signals/model'
import type { SignalType } from '@loopkit/shared/signals/signal-type'
import { titleOf } from '@loopkit/shared/signals/title'
import { painIdOf } from '../../domain/opaque-id.ts'
import type { Move } from '../../domain/regrouping.ts'
import { IN_WINDOW, windowParameters } from '../counts/failure-scope.ts'
import { eachTrace } from '../records/each-trace.ts'
import { spanNumber, wholeTraceFilter } from '../records/judge-span.ts'
import { judgeWhole } from '../records/judge-whole.ts'
import type { TelemetryConnection } from '../telemetry-file.ts'
import { judgeOpenTraces, type ShownFailure } from './open-failures.ts'
import type { PainQuestion } from './pain-question.ts'

/** What failures of a window would be counted under, were these the project's rules. */
export interface RegroupingQuestion extends Pick<PainQuestion, 'projectNo' | 'projectId' | 'window' | 'off' | 'view'> {
  rules: ProjectRules
}

export interface RegroupedPain {
  painId: string
  title: string
  /** Field or attribute → its value, where a rule made it. */
  by: Record<string, string>
}

export interface RegroupingAnswer {
  /** Failures of the window, and those of them that were looked at: the newest whose records are still kept. */
  failures: number
  lookedAt: number
  moves: Move[]
  /** By fingerprint in hex. */
  pains: Record<string, RegroupedPain>
}

/** Failures that are judged anew, the newest, and spans of their traces after which no further trace is read. */
const FAILURES_MAX = 2_000
const SPANS_MAX = 100_000

/** A failure as it counts now. */
interface Counted {
  traceId: Uint8Array
  /** Span and signal: what it is found by when its trace is judged anew. */
  name: string
  fingerprint: string
}

export function answerRegrouping(connection: TelemetryConnection, question: RegroupingQuestion): RegroupingAnswer {
  const { projectNo, rules } = question
  const open = readOpen(connection, question)
  const decided = readNewest(connection, question)
  const byTrace = Map.groupBy([...open, ...decided.rows], ({ traceId }) => toHex(traceId))
  const traceIds = [...byTrace.values()].map(([first]) => first!.traceId)
  const found: Found = { moves: new Map(), pains: namesNow(question, [...open, ...decided.rows]) }
  let lookedAt = 0
  let spans = 0
  for (const { traceId, stored } of eachTrace(connection, projectNo, traceIds, wholeTraceFilter(ruleAttributes(rules)))) {
    if (spans >= SPANS_MAX) break
    spans += stored.length
    lookedAt += lookAt(connection, question, { counted: byTrace.get(traceId) ?? [], stored, found })
  }
  return { failures: decided.total + open.length, lookedAt, moves: [...found.moves.values()], pains: found.pains }
}

interface Found {
  moves: Map<string, Move>
  pains: Record<string, RegroupedPain>
}

/** How many of the failures are still seen in what is stored of their trace. */
function lookAt(
  connection: TelemetryConnection,
  { projectId, off, rules, view }: RegroupingQuestion,
  { counted, stored, found }: { counted: readonly Counted[]; stored: StoredSpan[]; found: Found },
): number {
  const { failures } = judgeWhole(connection, { projectId, off: new Set(off), isOver: true, rules }, stored)
  const after = new Map(failures.map((failure) => [nameOf(failure), failure]))
  const rootOf = (fingerprint: string) => view.rootOf[fingerprint] ?? fingerprint
  let seen = 0
  for (const { name, fingerprint } of counted) {
    const failure = after.get(name)
    if (!failure) continue
    seen += 1
    const [from, to] = [rootOf(fingerprint), rootOf(toHex(failure.fingerprint.key))]
    const move = found.moves.get(`${from} ${to}`) ?? { from, to, count: 0 }
    found.moves.set(`${from} ${to}`, { ...move, count: move.count + 1 })
    found.pains[to] ??= nameAfter(projectId, to, failure)
  }
  return seen
}

function nameOf({ span, detection }: ShownFailure): string {
  return `${spanNumber(span.spanId)} ${detection.signal}`
}

function nameAfter(projectId: string, to: string, { view, detection, fingerprint }: Failure): RegroupedPain {
  const { signal, errorType } = detection
  const { template, steps } = fingerprint
  const by = steps.flatMap(({ step, value }) => (step.startsWith('by ') ? [[step.slice(3), value] as const] : []))
  return {
    painId: painIdOf(projectId, fromHex(to)!),
    title: titleOf({ signal, operation: view.operation, errorType, template, steps }),
    by: Object.fromEntries(by),
  }
}

function readOpen(connection: TelemetryConnection, question: RegroupingQuestion): (Counted & { title: string })[] {
  const { failures } = judgeOpenTraces(connection, { ...question, off: new Set(question.off) })
  return failures.map(({ failure, fingerprint, operation }) => ({
    traceId: failure.span.traceId,
    name: nameOf(failure),
    fingerprint,
    title: titleOf({ ...failure.detection, operation, template: failure.fingerprint.template, steps: failure.fingerprint.steps }),
  }))
}

interface NewestRow {
  trace_id: Uint8Array
  span_id: bigint
  signal: SignalType
  fingerprint: Uint8Array
  operation: string
  error_type: string | null
  template: string
  steps: string
}

function readNewest({ db }: TelemetryConnection, question: RegroupingQuestion) {
  const parameters = windowParameters({ ...question, events: null })
  const newest = db.prepare(
    `select trace_id, span_id, signal, fingerprint, operation, error_type, template, steps from failure f
     join fingerprint using (fingerprint_no) where ${IN_WINDOW} order by f.failure_no desc limit ${FAILURES_MAX}`,
  )
  const rows = newest.safeIntegers().all(parameters) as NewestRow[]
  const total = db.prepare(`select count(*) from failure f where ${IN_WINDOW}`).pluck().get(parameters) as number
  return {
    total,
    rows: rows.map(({ trace_id, span_id, signal, fingerprint, operation, error_type, template, steps }) => ({
      traceId: new Uint8Array(trace_id),
      name: `${span_id} ${signal}`,
      fingerprint: toHex(fingerprint),
      title: titleOf({ signal, operation, errorType: error_type, template, steps: JSON.parse(steps) }),
    })),
  }
}

/** The pains that there are now, by the names that they have. */
function namesNow(
  { projectId, view }: RegroupingQuestion,
  counted: readonly (Counted & { title: string })[],
): Record<string, RegroupedPain> {
  const names: Record<string, RegroupedPain> = {}
  const own = [...counted].sort((a, b) => Number(a.fingerprint in view.rootOf) - Number(b.fingerprint in view.rootOf))
  for (const { fingerprint, title } of own) {
    const root = view.rootOf[fingerprint] ?? fingerprint
    names[root] ??= { painId: painIdOf(projectId, fromHex(root)!), title, by: {} }
  }
  return names
}
