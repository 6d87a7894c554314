import { toHex } from '@loopkit/shared/otlp/ids'
import type { HintKind } from '@loopkit/shared/signals/hints/hint-kind'
import type { Failure, Hint, TraceSpan } from '@loopkit/shared/signals/model'
import { innermostUsage } from '@loopkit/shared/signals/sessions'
import type { SignalType } from '@loopkit/shared/signals/signal-type'
import { type AgentRun, findAgentRuns, firstAbove } from '@loopkit/shared/signals/soft/agent-runs'
import { buildTraceTree, compareTexts, NO_PARENT, type TraceTree } from '@loopkit/shared/signals/trace-tree'
import type { CostOf } from '@loopkit/shared/span/price-call'
import type { Tokens } from '@loopkit/shared/span/record'
import { encodeRecordId } from '@loopkit/shared/span/record-id'

/** One trace of a session with what was judged of it. */
export interface SessionTrace {
  records: readonly TraceSpan[]
  failures: readonly Failure[]
  hints: readonly Hint[]
}

/** What a record did in its session. */
export interface SessionStep {
  recordId: string
  traceId: Uint8Array
  spanId: Uint8Array
  /** A turn is a model's call, an action what came of one: a tool's run or another agent's. */
  role: 'turn' | 'action' | 'other'
  /** Its own, else that of the nearest span above. */
  agent: string | null
  service: string
  operation: string
  isRoot: boolean
  /** The operations from the root down to this one. */
  path: string
  startUnixNano: bigint
  /** null: it has not ended. */
  durationNano: bigint | null
  /** What it took itself, without the spans below it that it waited for. */
  selfNano: bigint
  model: string | null
  /** null: no model call of its own, or one that repeats what a call below it says. */
  usage: Tokens | null
  /** null: not known, or nothing to pay. */
  costUsd: number | null
  /** The turn that led to it, by its place among the steps: itself for a turn, null where none did. */
  turn: number | null
  /** The agent that it runs is another than the one that called it. */
  callsAgent: boolean
  /** A failure that began here. */
  failure: { signal: SignalType; message: string; because: string } | null
  /** It has an error, its own or one that passed through it. */
  hasError: boolean
  /** It or one below it has an error. */
  fails: boolean
  /** The same work went well later. */
  isRecovered: boolean
  hints: { kind: HintKind; because: string }[]
}

/** Operations of a path; what lies deeper goes by its last ones. */
const PATH_OPERATIONS_MAX = 12

/** The steps of a whole session in order of time, from those of its traces. The same for every order of arrival. */
export function joinSteps(placed: readonly PlacedStep[]): SessionStep[] {
  const own = placed.toSorted(inTime)
  const placeOf = new Map(own.map(({ key }, at) => [key, at]))
  const healthyUntil = lastHealthy(own)
  return own.map(({ step, turnKey }, at) => ({
    ...step,
    turn: turnKey === null ? null : (placeOf.get(turnKey) ?? null),
    isRecovered: step.failure !== null && (healthyUntil.get(workOf(step)) ?? -1) > at,
  }))
}

/** A step of one trace before its session is known whole. */
export interface PlacedStep {
  step: SessionStep
  /** Hex trace and span id. */
  key: string
  turnKey: string | null
}

function inTime(a: PlacedStep, b: PlacedStep): number {
  const [from, to] = [a.step.startUnixNano, b.step.startUnixNano]
  return from === to ? compareTexts(a.step.recordId, b.step.recordId) : from < to ? -1 : 1
}

/** One kind of work: what failed is recovered when it goes well later. */
const workOf = ({ service, operation }: SessionStep) => `${service}\n${operation}`

function lastHealthy(placed: readonly PlacedStep[]): Map<string, number> {
  const last = new Map<string, number>()
  for (const [at, { step }] of placed.entries()) if (!step.fails && step.failure === null) last.set(workOf(step), at)
  return last
}

/** The steps of one trace, log records left out. */
export function stepsOfTrace({ records, failures, hints }: SessionTrace, costOf: CostOf): PlacedStep[] {
  const tree = buildTraceTree(records.filter(({ span }) => !span.log))
  const traceId = records[0] ? toHex(records[0].span.traceId) : ''
  const keyOf = (i: number) => `${traceId} ${tree.ids[i]}`
  const failureOf = new Map(failures.map((failure) => [toHex(failure.span.spanId), failure]))
  const hintsOf = Map.groupBy(hints, ({ spanId }) => spanId)
  const { roles, turns, callsAgent } = rolesOf(tree)
  const fails = failsBelow(tree)
  const usage = innermostUsage(tree)
  const { agents, paths } = inherit(tree)
  const selfNanos = selfTimes(tree)
  return tree.spans.map(({ span, view, detection }, i) => {
    const failure = failureOf.get(tree.ids[i]!)?.detection
    const step: SessionStep = {
      recordId: encodeRecordId(span.traceId, span.spanId),
      traceId: span.traceId,
      spanId: span.spanId,
      role: roles[i]!,
      agent: agents[i]!,
      service: view.service,
      operation: view.operation,
      isRoot: tree.parents[i] === NO_PARENT,
      path: paths[i]!.join(' > '),
      startUnixNano: span.startUnixNano,
      durationNano: durationOf(span),
      selfNano: selfNanos[i]!,
      model: view.model,
      usage: usage[i] ? view.tokens : null,
      costUsd: usage[i] ? costOf(view) : null,
      turn: null,
      callsAgent: callsAgent[i]!,
      failure: failure
        ? { signal: failure.signal, message: failure.message ?? failure.errorType ?? '', because: failure.because }
        : null,
      hasError: detection !== null,
      fails: fails[i]!,
      isRecovered: false,
      hints: (hintsOf.get(tree.ids[i]!) ?? []).map(({ kind, because }) => ({ kind, because })),
    }
    return { step, key: keyOf(i), turnKey: turns[i] === NO_PARENT ? null : keyOf(turns[i]!) }
  })
}

function durationOf({ startUnixNano, endUnixNano }: TraceSpan['span']): bigint | null {
  if (endUnixNano === 0n) return null
  return endUnixNano > startUnixNano ? endUnixNano - startUnixNano : 0n
}

interface Roles {
  roles: SessionStep['role'][]
  /** The turn above or before each span, or `NO_PARENT`. */
  turns: Int32Array
  callsAgent: boolean[]
}

function rolesOf(tree: TraceTree): Roles {
  const count = tree.spans.length
  const roles: SessionStep['role'][] = new Array(count).fill('other')
  const turns = new Int32Array(count).fill(NO_PARENT)
  const callsAgent: boolean[] = new Array(count).fill(false)
  const runs = findAgentRuns(tree)
  const allTurns = runs.flatMap((run) => run.turns).sort((a, b) => a - b)
  for (const run of runs) {
    for (const i of run.turns) {
      roles[i] = 'turn'
      turns[i] = i
    }
    for (const i of run.actions) {
      markAction(tree, run, i, { roles, turns, callsAgent })
      // A tool beside the agents' spans, in none of them, ran what was said last.
      const isBeside = turns[i] === NO_PARENT && run.agent === NO_PARENT && tree.spans[i]!.view.kind === 'tool'
      if (isBeside) turns[i] = allTurns[firstAbove(allTurns, i) - 1] ?? NO_PARENT
    }
  }
  for (const i of tree.topDown) {
    const parent = tree.parents[i]!
    if (turns[i] === NO_PARENT && parent !== NO_PARENT && tree.spans[i]!.view.kind !== 'agent') turns[i] = turns[parent]!
  }
  return { roles, turns, callsAgent }
}

function markAction(tree: TraceTree, { turns: ofRun, agent }: AgentRun, i: number, { roles, turns, callsAgent }: Roles): void {
  roles[i] = 'action'
  const before = ofRun[firstAbove(ofRun, i) - 1]
  if (before !== undefined) turns[i] = before
  const { kind, agent: called } = tree.spans[i]!.view
  callsAgent[i] = kind === 'agent' && agent !== NO_PARENT && called !== tree.spans[agent]!.view.agent
}

/** Errors only, as their spans tell them: soft signals are failures of their own span. */
function failsBelow({ spans, parents, topDown }: TraceTree): boolean[] {
  const fails = spans.map(({ detection }) => detection !== null)
  for (let at = topDown.length - 1; at >= 0; at--) {
    const i = topDown[at]!
    if (fails[i] && parents[i] !== NO_PARENT) fails[parents[i]!] = true
  }
  return fails
}

function inherit({ spans, parents, topDown }: TraceTree): { agents: (string | null)[]; paths: string[][] } {
  const agents: (string | null)[] = new Array(spans.length).fill(null)
  const paths: string[][] = new Array(spans.length)
  for (const i of topDown) {
    const { agent, operation } = spans[i]!.view
    const parent = parents[i]!
    agents[i] = agent ?? (parent === NO_PARENT ? null : agents[parent]!)
    const above = parent === NO_PARENT ? [] : paths[parent]!
    paths[i] = [...above, operation].slice(-PATH_OPERATIONS_MAX)
  }
  return { agents, paths }
}

/** Children that run side by side may take longer together than their parent: then it took nothing itself. */
function selfTimes({ spans, parents }: TraceTree): bigint[] {
  const own = spans.map(({ span }) => durationOf(span) ?? 0n)
  const left = [...own]
  for (let i = 0; i < spans.length; i++) {
    const parent = parents[i]!
    if (parent !== NO_PARENT) left[parent] = left[parent]! - own[i]!
  }
  return left.map((nano) => (nano > 0n ? nano : 0n))
}
