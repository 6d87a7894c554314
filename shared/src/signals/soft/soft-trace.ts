import { type ModelOutput, readFinishReasons, readModelOutput } from '../../span/steps/model-output.ts'
import { readToolArguments } from '../../span/steps/tool-io.ts'
import { readToolsOffered, type ToolSchema } from '../../span/steps/tools-offered.ts'
import { toolResultOf } from '../tool-result.ts'
import { NO_PARENT, type TraceTree } from '../trace-tree.ts'
import { type AgentRun, findAgentRuns } from './agent-runs.ts'
import type { SoftThresholds } from './thresholds.ts'

/** A trace as the soft rules see it: its tree, its agents' runs, and what each step said, read once. */
export interface SoftTrace {
  tree: TraceTree
  runs: AgentRun[]
  thresholds: SoftThresholds
  /** Nothing will come any more: ten minutes have passed since its last span. */
  isOver: boolean
  /** The span itself has a hard signal. */
  fails(i: number): boolean
  /** A hard failure began at the span. */
  isBlamed(i: number): boolean
  /** The span or one below it has a hard signal. */
  hasFailureBelow(i: number): boolean
  outputOf(i: number): ModelOutput | null
  /** How a model call ended, in the provider's words; empty where the telemetry does not tell. */
  finishReasonsOf(i: number): readonly string[]
  argumentsOf(i: number): string | null
  /** The words of a tool's result; null where the telemetry does not tell. */
  resultOf(i: number): string | null
  toolsOf(i: number): Map<string, ToolSchema>
}

export interface SoftOptions {
  thresholds: SoftThresholds
  isOver: boolean
}

export function createSoftTrace(
  tree: TraceTree,
  blamed: { has(i: number): boolean },
  { thresholds, isOver }: SoftOptions,
): SoftTrace {
  const below = failuresBelow(tree)
  const reasonsIn = once((i) => readFinishReasons(tree.spans[i]!.span))
  return {
    tree,
    runs: findAgentRuns(tree),
    thresholds,
    isOver,
    fails: (i) => tree.spans[i]!.detection !== null,
    isBlamed: (i) => blamed.has(i),
    hasFailureBelow: (i) => below[i]!,
    outputOf: once((i) => readModelOutput(tree.spans[i]!.span)),
    finishReasonsOf: (i) => {
      const { finish_reasons } = tree.spans[i]!.view
      return finish_reasons.length > 0 ? finish_reasons : reasonsIn(i)
    },
    argumentsOf: once((i) => readToolArguments(tree.spans[i]!.span)),
    resultOf: once((i) => toolResultOf(tree.spans[i]!.span)),
    toolsOf: once((i) => readToolsOffered(tree.spans[i]!.span)),
  }
}

function once<T>(read: (i: number) => T): (i: number) => T {
  const known = new Map<number, T>()
  return (i) => {
    if (!known.has(i)) known.set(i, read(i))
    return known.get(i)!
  }
}

function failuresBelow({ spans, parents, topDown }: TraceTree): boolean[] {
  const below = spans.map(({ detection }) => detection !== null)
  for (let at = topDown.length - 1; at >= 0; at--) {
    const i = topDown[at]!
    const parent = parents[i]!
    if (below[i] && parent !== NO_PARENT) below[parent] = true
  }
  return below
}
