import type { SessionStep } from './session-step.ts'

/** Why a step is thought to have decided how the session went, the strongest first. */
export const DECISIVE_RULES = [
  'unrecovered_failure',
  'delegated_reply',
  'first_action',
  'first_reply',
  'recovered_failure',
  'hint',
  'costliest',
] as const

export type DecisiveRule = (typeof DECISIVE_RULES)[number]

/** A step that changing would change most. A candidate with its reason and no verdict. */
export interface DecisiveStep {
  /** Places among the session's steps. */
  at: number
  /** The turn that led to it, where one did. */
  turn: number | null
  /** Who is to look at it. */
  agent: string | null
  rule: DecisiveRule
  because: string
}

/**
 * Turns beyond which a run that is coordinated has lost its way: it never got over what its first delegate brought. A shorter one
 * went on until its last delegate answered. Between 35 and 60 turns the measured figures hardly move.
 */
const LONG_RUN_TURNS = 50
const CANDIDATES_MAX = 3

/**
 * Who did what decided the session, best candidates first; empty only for a session without steps. Where several agents speak, it goes by
 * the shape of their conversation alone: who hands on to whom, and who acted first. No words are read.
 */
export function findDecisiveSteps(steps: readonly SessionStep[], longRunTurns = LONG_RUN_TURNS): DecisiveStep[] {
  const turns = steps.flatMap(({ role }, at) => (role === 'turn' ? [at] : []))
  const agents = new Set(turns.map((at) => steps[at]!.agent))
  const found = [
    failure(steps, (step) => !step.isRecovered, 'unrecovered_failure'),
    agents.size > 1 ? conversation(steps, turns, longRunTurns) : null,
    failure(steps, () => true, 'recovered_failure'),
    hinted(steps),
    costliest(steps),
  ].filter((one) => one !== null)
  return found.filter((one, n) => found.findIndex(({ at }) => at === one.at) === n).slice(0, CANDIDATES_MAX)
}

/** A person's or an evaluator's word comes after what it is about. */
const TOLD_AFTERWARDS = 'negative_feedback'

function failure(
  steps: readonly SessionStep[],
  isMeant: (step: SessionStep) => boolean,
  rule: DecisiveRule,
): DecisiveStep | null {
  const at = steps.findIndex((step) => step.failure !== null && step.failure.signal !== TOLD_AFTERWARDS && isMeant(step))
  if (at < 0) return null
  const { failure: begun, operation, turn } = steps[at]!
  const end = rule === 'unrecovered_failure' ? 'and the same work did not go well later' : 'and went well later'
  return { at, turn, agent: whoDid(steps, at), rule, because: `${begun!.signal}: ${operation} failed, ${end}` }
}

/** The agent of a step, else the one whose turn led to it. */
function whoDid(steps: readonly SessionStep[], at: number): string | null {
  const { agent, turn } = steps[at]!
  return agent ?? (turn === null ? null : steps[turn]!.agent)
}

function conversation(steps: readonly SessionStep[], turns: readonly number[], longRunTurns: number): DecisiveStep {
  const coordinator = coordinatorOf(steps, turns)
  if (coordinator === undefined) return firstAction(steps, turns)
  const replies = turns.filter((at, n) => steps[at]!.agent !== coordinator && isEndOfStretch(steps, turns, n))
  const isLong = turns.length > longRunTurns
  const at = isLong ? replies[0]! : replies.at(-1)!
  const because = isLong
    ? `what the first agent brought that ${coordinator} asked, in a run of ${turns.length} turns`
    : `the last answer of an agent that ${coordinator} asked, in a run of ${turns.length} turns`
  return { at, turn: at, agent: steps[at]!.agent, rule: 'delegated_reply', because }
}

function isEndOfStretch(steps: readonly SessionStep[], turns: readonly number[], n: number): boolean {
  const next = turns[n + 1]
  return next === undefined || steps[next]!.agent !== steps[turns[n]!]!.agent
}

/** The agent that calls the others, or between any two of which it speaks, that begins, has most of the turns and leaves all work to them. */
function coordinatorOf(steps: readonly SessionStep[], turns: readonly number[]): string | null | undefined {
  const speaks = new Set(turns.map((at) => steps[at]!.agent))
  const caller = steps.find(({ callsAgent, turn }) => callsAgent && turn !== null)
  if (caller !== undefined) {
    const { agent } = steps[caller.turn!]!
    if (turns.some((at) => steps[at]!.agent !== agent)) return agent
  }
  const acts = new Set(steps.flatMap(({ role, turn }) => (role === 'action' && turn !== null ? [steps[turn]!.agent] : [])))
  return [...speaks].find((agent) => {
    if (acts.has(agent)) return false
    const own = turns.filter((at) => steps[at]!.agent === agent).length
    const handsOn = turns.every((at, n) => n === 0 || steps[at]!.agent === agent || steps[turns[n - 1]!]!.agent === agent)
    return own * 2 > turns.length && handsOn && steps[turns[0]!]!.agent === agent
  })
}

/** Agents that speak in turn: who acted first is whom the others build on; where an action failed, who asked for it. */
function firstAction(steps: readonly SessionStep[], turns: readonly number[]): DecisiveStep {
  const actions = steps.flatMap((step, at) => (step.role === 'action' && step.turn !== null && !step.callsAgent ? [at] : []))
  const failed = actions.find((at) => steps[at]!.fails)
  const action = failed ?? actions[0]
  if (action === undefined) {
    // The first turn hands the task on; the next is the first to work on it.
    const at = turns[1]!
    return {
      at,
      turn: at,
      agent: steps[at]!.agent,
      rule: 'first_reply',
      because: 'the first reply, which the other agents build on',
    }
  }
  const turn = steps[action]!.turn!
  const { operation } = steps[action]!
  const because =
    failed === undefined
      ? `asked for the first action, ${operation}, which the others build on`
      : `asked for ${operation}, which failed`
  return { at: turn, turn, agent: steps[turn]!.agent, rule: 'first_action', because }
}

function hinted(steps: readonly SessionStep[]): DecisiveStep | null {
  const at = steps.findIndex(({ hints }) => hints.length > 0)
  if (at < 0) return null
  const { hints, turn } = steps[at]!
  return { at, turn, agent: whoDid(steps, at), rule: 'hint', because: `${hints[0]!.kind}: ${hints[0]!.because}` }
}

/** Where nothing went wrong: what took most of the money, else of the time. */
function costliest(steps: readonly SessionStep[]): DecisiveStep | null {
  const priced = largest(steps, ({ costUsd }) => costUsd ?? 0)
  const slow = largest(steps, ({ selfNano }) => Number(selfNano))
  const at = priced ?? slow
  if (at === null) return null
  const { operation, turn } = steps[at]!
  const agent = whoDid(steps, at)
  return {
    at,
    turn,
    agent,
    rule: 'costliest',
    because: `${operation} ${priced === null ? 'took the most time' : 'cost the most'} by itself`,
  }
}

/** The first of the largest; null where all are 0. */
function largest(steps: readonly SessionStep[], of: (step: SessionStep) => number): number | null {
  let best = -1
  let most = 0
  for (const [at, step] of steps.entries()) {
    const value = of(step)
    if (value > most) [best, most] = [at, value]
  }
  return best < 0 ? null : best
}
