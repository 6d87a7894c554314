import type { SqliteDatabase } from '@loopkit/shared/database/open'
import { createAttributeFilter } from '@loopkit/shared/otlp/decode-traces'
import { toHex } from '@loopkit/shared/otlp/ids'
import type { OtlpSpan, SpanInContext } from '@loopkit/shared/otlp/model'
import { stackSignature } from '@loopkit/shared/signals/stack'
import { titleOf } from '@loopkit/shared/signals/title'
import { toShownValue } from '@loopkit/shared/span/json-value'
import { viewSpan } from '@loopkit/shared/span/view-span'
import { comparableValue, isComparable } from '../../domain/contrast/contrast-attributes.ts'
import type { CodePlace, PainDetail } from '../../domain/pain-facts.ts'
import type { RecordInput, ResolvedEvidence } from '../evidence/resolved-evidence.ts'
import { readSpans } from '../records/read-spans.ts'
import type { TelemetryConnection } from '../telemetry-file.ts'
import type { RankedPain } from './pain-question.ts'

type Words = Pick<PainDetail, 'title' | 'errorType' | 'template' | 'sampleMessage' | 'steps'>

/** What the pain is called and in which words it showed; from its stored row, else from an open failure. */
export function wordsOf(db: SqliteDatabase, { headNo, splitSteps, fingerprint, open, signal, operation }: RankedPain): Words {
  const stored = headNo === null ? undefined : readWords(db, headNo)
  const judged = (open.find((failure) => failure.fingerprint === fingerprint) ?? open[0])?.failure
  const errorType = stored ? stored.error_type : (judged?.detection.errorType ?? null)
  const template = stored ? stored.template : (judged?.fingerprint.template ?? '')
  const sampleMessage = stored ? stored.sample_message : (judged?.detection.message ?? null)
  const named = stored ? (JSON.parse(stored.steps) as Words['steps']) : (judged?.fingerprint.steps ?? [])
  const steps = [...named, ...splitSteps]
  return { title: titleOf({ signal, operation, errorType, template, steps }), errorType, template, sampleMessage, steps }
}

interface WordsRow {
  error_type: string | null
  template: string
  sample_message: string | null
  steps: string
}

function readWords(db: SqliteDatabase, fingerprintNo: number): WordsRow | undefined {
  const find = db.prepare('select error_type, template, sample_message, steps from fingerprint where fingerprint_no = ?')
  return find.get(fingerprintNo) as WordsRow | undefined
}

export function framesOf(stack: string | null): string[] {
  return stack === null ? [] : stackSignature(stack)
}

/** Ancestors looked at above one failing span. */
const ANCESTORS_MAX = 100

/** Routes of the servers above a failing span, its own included: where the failure met a caller. */
export function routesAbove(failing: SpanInContext, byId: ReadonlyMap<string, SpanInContext>): string[] {
  const routes: string[] = []
  let at: SpanInContext | undefined = failing
  for (let steps = 0; at && steps < ANCESTORS_MAX; steps++) {
    const view = viewSpan(at)
    if (view.kind === 'http' && at.span.kind === SERVER_KIND) routes.push(view.operation)
    const parent: Uint8Array | null = at.span.parentSpanId
    at = parent === null ? undefined : byId.get(toHex(parent))
  }
  return routes
}

/** SpanKind SERVER of OTLP. */
const SERVER_KIND = 2

/** Attributes that say what a piece of work was asked to do, by dialect. */
const INPUT_KEYS = [
  'gen_ai.tool.call.arguments',
  'gen_ai.input.messages',
  'gen_ai.prompt',
  'input.value',
  'llm.input_messages',
  'traceloop.entity.input',
  'ai.toolCall.args',
  'ai.prompt',
  'ai.prompt.messages',
  'mcp.request.argument',
  'mcp.request.params',
  'tool.parameters',
  'http.request.method',
  'http.method',
  'http.route',
  'url.path',
  'url.query',
  'http.target',
  'rpc.method',
  'rpc.service',
  'db.query.text',
  'db.statement',
  'db.operation.name',
  'messaging.operation.name',
  'messaging.destination.name',
]
/** Bytes shown of one input; a prompt can have megabytes. */
const INPUT_SHOWN_MAX_BYTES = 1024

/** Where instrumentations say the code is, the newer names first. */
const FILE_KEYS = ['code.file.path', 'code.filepath']
const FUNCTION_KEYS = ['code.function.name', 'code.function']

/** What a program says of its own work has no fixed name: all is read, cut where no reader is shown more of it. */
const INPUT_FILTER = createAttributeFilter([], [''], 64 * INPUT_SHOWN_MAX_BYTES)
/** Attributes shown as input, those of a dialect first; and bytes of one that has a name of its own. */
const INPUTS_MAX = 32
const OWN_SHOWN_MAX_BYTES = 256

export const NO_PLACE: CodePlace = { files: [], functions: [], tool: null, model: null, agent: null }

/** What each record was asked to do, by record id. Read apart from judging, which decodes none of these attributes. */
export function readInputs(
  connection: TelemetryConnection,
  projectNo: number,
  records: readonly ResolvedEvidence[],
): Map<string, RecordInput> {
  const spans = readSpans(connection, projectNo, records, INPUT_FILTER)
  return new Map([...spans].map(([recordId, { ctx }]) => [recordId, { attributes: shownInput(ctx.span), place: placeOf(ctx) }]))
}

function placeOf(ctx: SpanInContext): CodePlace {
  const { tool, model, agent } = viewSpan(ctx)
  const textsOf = (keys: readonly string[]) =>
    keys.flatMap((key) => {
      const value = ctx.span.attributes.get(key)
      return typeof value === 'string' && value !== '' ? [value] : []
    })
  return { files: textsOf(FILE_KEYS).slice(0, 1), functions: textsOf(FUNCTION_KEYS).slice(0, 1), tool, model, agent }
}

function shownInput({ attributes }: OtlpSpan): Record<string, unknown> {
  const shown = INPUT_KEYS.flatMap((key) => {
    const value = attributes.get(key)
    return value === undefined ? [] : [[key, toShownValue(value, { bytes: INPUT_SHOWN_MAX_BYTES, isCut: false })] as const]
  })
  const known = new Set(INPUT_KEYS)
  const own = [...attributes]
    .filter(([key, value]) => !known.has(key) && isInput(key) && comparableValue(value) !== null)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => [key, toShownValue(value, { bytes: OWN_SHOWN_MAX_BYTES, isCut: false })] as const)
  return Object.fromEntries([...shown, ...own].slice(0, INPUTS_MAX))
}

/** Neither what came out, nor who it was for, nor where its code is; of the dialects, which name calls and kinds, only what is listed. */
function isInput(key: string): boolean {
  return isComparable(key) && !/^(?:code|gen_ai|llm|ai|mcp|openinference|traceloop|langfuse)\./.test(key)
}
