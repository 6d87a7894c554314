import { toHex } from '@loopkit/shared/otlp/ids'
import { createJudgeMemory } from '@loopkit/shared/signals/judge-memory'
import { judgeTrace } from '@loopkit/shared/signals/judge-trace'
import { DEFAULT_SOFT_THRESHOLDS } from '@loopkit/shared/signals/soft/thresholds'
import { sentCost } from '@loopkit/shared/span/price-call'
import { findDecisiveSteps } from '../../analyzer/src/domain/session/decisive-step.ts'
import { joinSteps, type SessionStep, stepsOfTrace } from '../../analyzer/src/domain/session/session-step.ts'
import { type Figure, type Measure, mean } from './measure.ts'
import { NothingToMeasure, readJsonSet } from './read-set.ts'
import { readRequest } from './trail-traces.ts'

interface Conversation {
  history: { content: string; name?: string; role: string }[]
  mistake_agent?: string | null
  mistake_step?: string | number | null
}

interface Answer {
  kind: string
  isAgent: boolean
  isStep: boolean
}

interface Run {
  kind: string
  steps: SessionStep[]
  agent: string
  step: number
}

interface Kind {
  prefix: string
  name: string
  agent: number
  step: number
}

const KINDS: readonly Kind[] = [
  { prefix: 'Algorithm-Generated', name: 'generated', agent: 0.64, step: 0.42 },
  { prefix: 'Hand-Crafted', name: 'hand-made', agent: 0.6, step: 0.3 },
]

/** Folds of runs, and the lengths among which the one number that the product's rule holds is chosen anew on the others. */
const FOLDS = 5
const LENGTHS = [20, 25, 30, 35, 40, 45, 50, 55, 60, 65, 70]

/** Failed runs of several agents: whom does the product name first, and at which step. */
export function measureWhoAndWhen(path: string): Measure {
  const { runs, unlabelled } = readRuns(path)
  if (runs.length === 0) throw new NothingToMeasure(`none of ${unlabelled} runs says who failed and when`)
  const answers = runs.map((run) => answer(run))
  const inFolds = answerInFolds(runs)
  return {
    name: 'who failed, when (Who&When)',
    published: 'agent/step: generated 54.3/25.5, hand-made 55.2/8.8',
    figures: [
      ...KINDS.flatMap((kind) => figuresOf(kind, answers)),
      ...KINDS.flatMap((kind) => figuresOf({ ...kind, name: `${kind.name}, length chosen in folds` }, inFolds)),
    ],
    note: `${runs.length} runs${unlabelled > 0 ? ` (${unlabelled} without a label left out)` : ''}, decoded and judged as spans by the product; by who speaks, hands on and acts: no words are read, no names known. The rules were settled with these runs in sight, but for the folds`,
  }
}

function figuresOf({ prefix, name, agent, step }: Kind, answers: readonly Answer[]): Figure[] {
  const own = answers.filter(({ kind }) => kind === prefix)
  if (own.length === 0) return []
  return [
    { name: `${name}, agent`, value: mean(own.map(({ isAgent }) => Number(isAgent))), target: { atLeast: agent } },
    { name: `${name}, step`, value: mean(own.map(({ isStep }) => Number(isStep))), target: { atLeast: step } },
  ]
}

function answerInFolds(runs: readonly Run[]): Answer[] {
  const byLength = LENGTHS.map((length) => runs.map((run) => answer(run, length)))
  const foldOf = (at: number) => at % FOLDS
  const right = (answers: readonly Answer[], fold: number) =>
    answers.reduce((sum, { isAgent, isStep }, at) => sum + (foldOf(at) === fold ? 0 : Number(isAgent) + Number(isStep)), 0)
  const best = Array.from({ length: FOLDS }, (_, fold) => byLength.toSorted((a, b) => right(b, fold) - right(a, fold))[0]!)
  return runs.map((_, at) => best[foldOf(at)]![at]!)
}

function readRuns(path: string): { runs: Run[]; unlabelled: number } {
  const entries = Object.entries(readJsonSet(path) as Record<string, Conversation>).sort(([a], [b]) => (a < b ? -1 : 1))
  const runs = entries.flatMap(([name, run]) => {
    const { mistake_agent: agent, mistake_step: step } = run
    if (!agent || step === undefined || step === null) return []
    const steps = stepsOf(run)
    return steps.length === 0 ? [] : [{ kind: name.slice(0, name.indexOf('/')), steps, agent, step: Number(step) }]
  })
  return { runs, unlabelled: entries.length - runs.length }
}

function stepsOf(run: Conversation): SessionStep[] {
  const records = readRequest(Buffer.from(JSON.stringify(toRequest(run))))
  const rules = { off: new Set<never>(), thresholds: DEFAULT_SOFT_THRESHOLDS, isOver: true, withHints: true }
  const { failures, hints } = judgeTrace('measured', records, createJudgeMemory('measured'), rules)
  return joinSteps(stepsOfTrace({ records, failures, hints }, sentCost))
}

function answer({ kind, steps, agent, step }: Run, longRunTurns?: number): Answer {
  const [best] = findDecisiveSteps(steps, longRunTurns)
  const named = steps[best!.turn ?? best!.at]!
  return { kind, isAgent: named.agent === agent, isStep: Number.parseInt(toHex(named.spanId), 16) - 1 === step }
}

/** What a terminal answers when it ran something; when it found nothing to run, no instrumentation would write a span. */
const RAN = /exit ?code: (\d+)/i

/** As an instrumentation would have sent the run: a model call for each message of an agent, a tool's run for each execution. */
function toRequest({ history }: Conversation) {
  const spans = history.flatMap(({ content, name, role }, at) => {
    const speaker = (name ?? role).replace(/ \(.*/, '')
    if (speaker === 'human') return []
    const times = {
      startTimeUnixNano: `${1_800_000_000_000_000_000n + BigInt(at) * 1_000_000_000n}`,
      endTimeUnixNano: `${1_800_000_000_500_000_000n + BigInt(at) * 1_000_000_000n}`,
    }
    const ids = { traceId: '1'.repeat(32), spanId: (at + 1).toString(16).padStart(16, '0') }
    if (/terminal$/i.test(speaker)) {
      const ran = RAN.exec(content.slice(0, 100))
      return ran ? [{ ...ids, ...times, name: 'execute_tool code', ...toolRun(content, ran[1] !== '0') }] : []
    }
    const output = JSON.stringify([{ role: 'assistant', parts: [{ type: 'text', content }] }])
    const said = { 'gen_ai.operation.name': 'chat', 'gen_ai.agent.name': speaker, 'gen_ai.output.messages': output }
    return [{ ...ids, ...times, name: 'chat', attributes: attributesOf(said) }]
  })
  return { resourceSpans: [{ resource: { attributes: attributesOf({ 'service.name': 'agents' }) }, scopeSpans: [{ spans }] }] }
}

function toolRun(content: string, hasFailed: boolean) {
  const attributes = attributesOf({
    'gen_ai.operation.name': 'execute_tool',
    'gen_ai.tool.name': 'code',
    'gen_ai.tool.call.result': content,
  })
  return { attributes, ...(hasFailed && { status: { code: 2, message: 'the code exited with an error' } }) }
}

const attributesOf = (values: Record<string, string>) =>
  Object.entries(values).map(([key, stringValue]) => ({ key, value: { stringValue } }))
