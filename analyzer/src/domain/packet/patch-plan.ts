import type { SignalType } from '@loopkit/shared/signals/signal-type'
import { digestOf } from '../opaque-id.ts'
import { failuresOf, type PainReading } from '../pain-facts.ts'
import { runsToShowFall } from '../statistics/rate-ratio.ts'
import { codeSpan, oneLine } from '../untrusted-text.ts'
import { sharedValues, signalWords } from './issue-words.ts'
import type { PatchPlan, Suspect } from './model.ts'

/** What usually mends a kind of trouble, for whoever opens the code. */
const REMEDY: Record<SignalType, string> = {
  exception: 'Handle the case that raises the exception, or refuse the input that leads to it before this point',
  error_status: 'Find what sets the error status and mend its cause where the request enters',
  tool_failure:
    'Compare the arguments that the tool was called with to what it takes; correct the schema, the prompt or the tool',
  llm_error: 'Check the request to the model against its limits (context, parameters, model name) and handle the refusal',
  timeout: 'Find what the time went on in the trace; bound the work or raise the limit with a reason',
  rate_limited: 'Lower the rate of calls, honour Retry-After, or ask for a larger quota',
  auth_failure: 'Check which credential this call uses, whether it is current and what it may do',
  dependency_failure: 'Read the callee’s own records for the same traces; bound the call and handle its failure here',
  retry_storm: 'Give the retries a limit, a growing pause and a reason to stop; mend what they retry',
  repeated_step:
    'Stop the run when a step brings the same result again; say in the prompt or the tool’s answer why it did not help',
  empty_output:
    'Find out whether the model had nothing to say or the reader took the wrong field; refuse an empty answer before it is used',
  truncated_output: 'Raise the limit of output tokens, or ask for less in one answer; never parse a cut answer',
  refusal: 'Read what the model refused and reword the prompt, or route the request to a person',
  invalid_tool_arguments:
    'Show the model the tool’s schema with an example, check arguments before the call and answer with what was wrong',
  orphan_tool_call: 'Run every tool call of an answer, or answer it with an error; none may stay without a result',
  slow: 'Compare the time of each step with a healthy run; bound or parallelize the one that grew',
  cost_outlier: 'Compare the tokens of each step with a healthy run; shorten what is sent again with every turn',
  negative_feedback: 'Read the whole session for the step that led the answer astray',
  incomplete: 'Find out whether the process died or never ended the span; end it on every way out',
}
/** Sessions or services from which a change here is read twice. */
const WIDE_SESSIONS = 10
const WIDE_SERVICES = 3
const WORD_CHARS = 160

export interface VerifyRule {
  /** Half width of what counts as unchanged: a fall must go below 1 minus this. */
  delta: number
  alpha: number
  windowMinutes: number
}

export interface PlanContext {
  painId: string
  suspects: readonly Suspect[]
  verify: VerifyRule
}

/**
 * A plan made from what was measured: where, what to look at, and how much traffic will tell whether it worked. The digest is of what
 * is to be done: the same plan keeps it while failures and traffic go on, which only move `minimum_runs` and `window_hours`.
 */
export function patchPlanOf(reading: PainReading, { painId, suspects, verify }: PlanContext): PatchPlan {
  const { facts } = reading
  const plan = {
    hypothesis: hypothesisOf(reading, suspects),
    targets: [targetOf(reading)],
    steps: stepsOf(reading, painId, suspects),
    risk: riskOf(reading),
    verify: {
      metric: `${facts.outlier ? 'runs beyond the usual' : 'failures'} of ${painId} per run of ${word(facts.operation)} in ${word(facts.service)}`,
    },
  }
  const exposure = exposureNeeded(reading, verify)
  return { plan_digest: digestOf(JSON.stringify(plan)), ...plan, verify: { ...plan.verify, ...exposure } }
}

const word = (text: string): string => codeSpan(text, WORD_CHARS)

function hypothesisOf({ facts, detail }: PainReading, suspects: readonly Suspect[]): string {
  const [frame] = ownFrames(detail.frames)
  const place = `${frame === undefined ? '' : `${word(frame)}, reached by `}${word(facts.operation)} of ${word(facts.service)}`
  const type = detail.errorType === null ? '' : ` ${word(detail.errorType)}`
  const shared = sharedValues(detail.contrasts.contrasts ?? [])
  const [suspect] = suspects
  const sentences = [
    facts.outlier
      ? `${place} is itself what is ${facts.outlier.measure === 'latency' ? 'slow; what stands above it only waited for it' : 'dear'}`
      : `${signalWords(facts.signal)}${type} begins in ${place}; records above it only carried it on`,
    shared === null ? null : `It shows where ${shared}: look for what these have in common`,
    suspect === undefined
      ? null
      : `It was first seen after the ${suspect.kind}${suspect.ref === null ? '' : ` ${word(suspect.ref)}`}`,
  ]
  return `${sentences.filter((sentence) => sentence !== null).join('. ')}.`
}

/** As a stack signature names what was thrown; the frames of code come after these. */
const THROWN = /(?:Error|Exception|Throwable|Failure|Timeout|Fault)$/

function ownFrames(frames: readonly string[]): string[] {
  return frames.filter((frame) => frame.includes(':') || !THROWN.test(frame))
}

const FILE_OF_FRAME = /^([^:\s]+\.\w{1,5}):(.+)$/

function targetOf({ facts, detail }: PainReading): PatchPlan['targets'][0] {
  const parts = detail.frames.map((frame) => FILE_OF_FRAME.exec(frame)).filter((found) => found !== null)
  const { files, functions, tool, model, agent } = detail.place
  return {
    service: oneLine(facts.service, WORD_CHARS),
    operation: oneLine(facts.operation, WORD_CHARS),
    files: distinct([...files, ...parts.map(([, file]) => file!)]),
    functions: distinct([...functions, ...parts.map(([, , name]) => name!)]),
    frames: detail.frames.map((frame) => oneLine(frame, WORD_CHARS)),
    tool: tool && oneLine(tool, WORD_CHARS),
    model: model && oneLine(model, WORD_CHARS),
    agent: agent && oneLine(agent, WORD_CHARS),
  }
}

/** Names of one kind in a target. */
const NAMES_MAX = 8

function distinct(names: readonly string[]): string[] {
  return [...new Set(names.map((name) => oneLine(name, WORD_CHARS)))].slice(0, NAMES_MAX)
}

/** Steps name no record, since the newest stands first: a draft, which is of one moment, fills it in. */
export const READ_SESSION = 'GET /v1/sessions/{session_id}?view=errors'
/** Of a run in which nothing failed. */
export const READ_STEPS = 'GET /v1/sessions/{session_id}?view=skeleton'

function stepsOf({ facts, detail }: PainReading, painId: string, suspects: readonly Suspect[]): string[] {
  const [suspect] = suspects
  const hasContrast = (detail.contrasts.contrasts ?? []).length > 0
  return [
    `Read the session of the first evidence record: ${facts.outlier ? READ_STEPS : READ_SESSION}`,
    ...(hasContrast ? ['Put it beside a counter-example of the first contrast: same values, no failure'] : []),
    ...(suspect === undefined ? [] : [`Read what ${suspect.change_id} changed; if it explains the failure, roll it back first`]),
    ...(facts.outlier ? [] : ['Run the eval candidate (loopkit eval): it must fail on the evidence before anything is changed']),
    REMEDY[facts.signal],
    ...(facts.outlier ? [] : ['Run the eval candidate against the change: it must pass, on the healthy records too']),
    `Ship, and announce it: POST /v1/changes {"kind":"release","service":…,"version":…,"pain_ids":["${painId}"]}`,
    `Ask for the verdict when verify.minimum_runs have passed: POST /v1/runs/verify {"pain_id":"${painId}"}; roll back on "worse"`,
  ]
}

function riskOf({ facts, detail }: PainReading): PatchPlan['risk'] {
  if (detail.services.length >= WIDE_SERVICES) return 'high'
  return facts.sessions >= WIDE_SESSIONS || detail.services.length > 1 ? 'medium' : 'low'
}

/** Runs without one failure that would show the fall, and the hours that the window's own traffic takes to bring them. */
function exposureNeeded(
  { facts }: PainReading,
  { delta, alpha, windowMinutes }: VerifyRule,
): Omit<PatchPlan['verify'], 'metric'> {
  const runs = runsToShowFall({ failures: failuresOf(facts), runs: facts.runs }, 1 - delta, alpha)
  if (runs === null) return { minimum_runs: null, window_hours: null }
  return { minimum_runs: runs, window_hours: Math.max(1, Math.ceil((runs * windowMinutes) / facts.runs / 60)) }
}
