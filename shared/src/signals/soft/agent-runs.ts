import type { TraceTree } from '../trace-tree.ts'
import { NO_PARENT } from '../trace-tree.ts'

/** The steps of one agent, or of what stands outside of any, in the order in which they began. */
export interface AgentRun {
  /** The agent's span; `NO_PARENT` for the steps outside of any. */
  agent: number
  /** Model calls, the innermost of two that tell of the same one. */
  turns: number[]
  /** Tools' runs, the outermost of two that tell of the same one, and agents that it called. */
  actions: number[]
  /** All spans of the run, but those of agents below it. */
  spans: number[]
}

/** Those of an ascending list that lie between two, which are left out; found by halving, since a run may have many thousand steps. */
export function between(ascending: readonly number[], after: number, before: number): number[] {
  const from = firstAbove(ascending, after)
  return ascending.slice(from, Math.max(from, firstAbove(ascending, before - 1)))
}

/** Where the first one above `limit` stands. */
export function firstAbove(ascending: readonly number[], limit: number): number {
  let from = 0
  let to = ascending.length
  while (from < to) {
    const middle = (from + to) >>> 1
    if (ascending[middle]! <= limit) from = middle + 1
    else to = middle
  }
  return from
}

/** Cuts a trace into runs: a span belongs to the nearest agent above it. Linear in the spans. */
export function findAgentRuns({ spans, parents, topDown }: TraceTree): AgentRun[] {
  const agentOf = new Int32Array(spans.length).fill(NO_PARENT)
  const inTool: boolean[] = new Array(spans.length).fill(false)
  const holdsChat = chatsAbove(spans, parents, topDown)
  const runs = new Map<number, AgentRun>()
  const runOf = (agent: number) => {
    const run = runs.get(agent) ?? { agent, turns: [], actions: [], spans: [] }
    runs.set(agent, run)
    return run
  }
  const isTool: boolean[] = new Array(spans.length).fill(false)
  for (const i of topDown) {
    const parent = parents[i]!
    const { kind } = spans[i]!.view
    if (parent !== NO_PARENT) {
      agentOf[i] = spans[parent]!.view.kind === 'agent' ? parent : agentOf[parent]!
      // Below an agent that a tool started, other tools are that agent's own.
      inTool[i] = spans[parent]!.view.kind !== 'agent' && (inTool[parent]! || spans[parent]!.view.kind === 'tool')
    }
    isTool[i] = kind === 'tool' && !inTool[i]
  }
  for (let i = 0; i < spans.length; i++) {
    const { kind } = spans[i]!.view
    const run = runOf(agentOf[i]!)
    run.spans.push(i)
    if (kind === 'chat' && !holdsChat[i]) run.turns.push(i)
    if (isTool[i] || kind === 'agent') run.actions.push(i)
  }
  return [...runs.values()]
}

function chatsAbove(spans: TraceTree['spans'], parents: Int32Array, topDown: Int32Array): boolean[] {
  const holds: boolean[] = new Array(spans.length).fill(false)
  for (let at = topDown.length - 1; at >= 0; at--) {
    const i = topDown[at]!
    const parent = parents[i]!
    if (parent !== NO_PARENT && (holds[i] || spans[i]!.view.kind === 'chat')) holds[parent] = true
  }
  return holds
}
