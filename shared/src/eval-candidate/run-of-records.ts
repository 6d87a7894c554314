import type { OtlpAttributes, OtlpSpan, OtlpValue } from '../otlp/model.ts'
import { ERROR_MESSAGE_KEYS } from '../signals/keys.ts'
import { TOOL_ERROR_HEAD } from '../signals/tool-error-head.ts'
import { toolErrorOf, toolResultOf } from '../signals/tool-result.ts'
import type { JsonValue, SpanRecord } from '../span/record.ts'
import { jsonOf } from '../span/steps/json-parts.ts'
import { type ModelOutput, readModelOutput } from '../span/steps/model-output.ts'
import { TOOL_ARGUMENTS_KEYS } from '../span/steps/step-keys.ts'
import { unwrapArguments } from '../span/steps/tool-io.ts'
import type { ObservedRun, RunCall, RunOperation } from './model.ts'

/** What is read of a record as the API answers it. */
export type RunRecord = Pick<
  SpanRecord,
  | 'record_id'
  | 'kind'
  | 'span_id'
  | 'parent_span_id'
  | 'service'
  | 'operation'
  | 'tool'
  | 'signal_type'
  | 'status'
  | 'attributes'
  | 'events'
  | 'start_unix_nano'
  | 'log'
>

/** Work and calls of one run that are looked at: an agent's run has thousands at most. */
const RECORDS_MAX = 20_000
/** Characters kept of a message and of an output. */
const TEXT_MAX_CHARS = 8_192

/**
 * A run from its trace. With `focus`, the work that counts is that record and what it called, so that a healthy record of a trace
 * in which something else failed is healthy; calls and output are the whole trace's.
 */
export function runOfRecords(records: readonly RunRecord[], focus: string | null = null): ObservedRun {
  const inOrder = records.toSorted(byStart).slice(0, RECORDS_MAX)
  const looked = focus === null ? inOrder : below(inOrder, focus)
  const answers = inOrder.map((record) => ({ record, answer: isModelCall(record) ? readModelOutput(asSpan(record)) : null }))
  const runs = inOrder.filter(({ tool }) => tool !== null).map(callOfTool)
  const isAgent = runs.length > 0 || answers.some(({ answer }) => answer !== null)
  return {
    operations: looked.map(operationOf),
    isComplete: true,
    calls: runs.length > 0 ? runs : isAgent ? answers.flatMap(({ answer }) => callsAsked(answer)) : null,
    output: outputOf(answers),
  }
}

function byStart(a: RunRecord, b: RunRecord): number {
  const [first, second] = [BigInt(a.start_unix_nano), BigInt(b.start_unix_nano)]
  if (first !== second) return first < second ? -1 : 1
  return a.record_id < b.record_id ? -1 : 1
}

function below(records: readonly RunRecord[], focus: string): RunRecord[] {
  const children = Map.groupBy(records, ({ parent_span_id }) => parent_span_id ?? '')
  const found = records.filter(({ record_id }) => record_id === focus)
  const seen = new Set(found)
  for (let at = 0; at < found.length; at++) {
    for (const child of children.get(found[at]!.span_id) ?? []) {
      if (seen.has(child)) continue
      seen.add(child)
      found.push(child)
    }
  }
  return found
}

function operationOf(record: RunRecord): RunOperation {
  const { service, operation, signal_type: signal } = record
  return { service, operation, signal, message: messageOf(record) }
}

function messageOf({ status, attributes, events, log, tool, signal_type }: RunRecord): string | null {
  const said = [
    status.message,
    ...events.map((event) => event.attributes['exception.message']),
    ...ERROR_MESSAGE_KEYS.map((key) => attributes[key]),
    ...(log ? [log.body] : []),
    ...(tool !== null && signal_type !== null ? [toolResultOf({ attributes: attributesOf(attributes) })] : []),
  ].filter((text) => typeof text === 'string' && text !== '')
  return said.length === 0 ? null : [...new Set(said)].join('\n').slice(0, TEXT_MAX_CHARS)
}

/** Signals that a call may show which went through all the same. */
const WENT_THROUGH = new Set<string | null>([null, 'repeated_step', 'slow', 'cost_outlier', 'negative_feedback'])

function callOfTool(record: RunRecord): RunCall {
  const attributes = attributesOf(record.attributes)
  const failed =
    !WENT_THROUGH.has(record.signal_type) ||
    record.status.code === 2 ||
    toolErrorOf({ attributes }) !== null ||
    TOOL_ERROR_HEAD.test(toolResultOf({ attributes }) ?? '')
  return { tool: record.tool!, arguments: argumentsOf(record), failed }
}

function argumentsOf({ attributes }: RunRecord): JsonValue {
  for (const key of TOOL_ARGUMENTS_KEYS) {
    const value = attributes[key]
    if (value === undefined || value === null) continue
    return unwrapArguments(typeof value === 'string' ? (jsonOf(value) ?? value) : value) as JsonValue
  }
  return {}
}

/** Where no tool's own run was recorded, what the model asked for stands for it. */
function callsAsked(answer: ModelOutput | null): RunCall[] {
  return (answer?.calls ?? []).flatMap(({ name, arguments: given }) => {
    if (name === null) return []
    const value = typeof given === 'string' ? (jsonOf(given) ?? given) : (given ?? {})
    return [{ tool: name, arguments: value as JsonValue, failed: false }]
  })
}

/** The last words of a model. */
function outputOf(answers: readonly { record: RunRecord; answer: ModelOutput | null }[]): string | null {
  const told = answers.filter(({ answer }) => answer !== null)
  const last = told.findLast(({ answer }) => answer!.text.trim() !== '') ?? told.at(-1)
  return last === undefined ? null : last.answer!.text.slice(0, TEXT_MAX_CHARS)
}

/** Model calls and agents tell what was answered; a tool's output is no answer of the run. */
function isModelCall({ tool, kind, operation }: RunRecord): boolean {
  return kind === 'span' && tool === null && !operation.startsWith('execute_tool')
}

/** As the readers of spans take it: they look at attributes and events only. */
function asSpan({ attributes, events }: RunRecord): OtlpSpan {
  return {
    attributes: attributesOf(attributes),
    events: events.map(({ name, attributes: own }) => ({ name, attributes: attributesOf(own) })),
  } as unknown as OtlpSpan
}

function attributesOf(attributes: Record<string, JsonValue>): OtlpAttributes {
  return new Map(Object.entries(attributes) as [string, OtlpValue][])
}
