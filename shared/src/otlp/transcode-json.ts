import { createFieldNames, type FieldNames, NO_FIELD } from './json/field-names.ts'
import { type JsonLimits, JsonReader, OPEN_BRACE, OPEN_BRACKET } from './json/json-reader.ts'
import { type RejectedSpan, writeCount } from './json/transcode-field.ts'
import { transcodeLog } from './json/transcode-log.ts'
import { transcodeSpan } from './json/transcode-span.ts'
import { transcodeAttributes } from './json/transcode-value.ts'
import { enterObject, type Transcoder, type TranscodeWarning, transcodeText } from './json/transcoder.ts'
import { ProtoWriter } from './proto-writer.ts'
import type { OtlpSignal } from './responses.ts'

/** How a signal's request is named; by their fields' numbers traces and logs are one. */
interface RequestNames {
  signal: OtlpSignal
  /** Of every signal: what is meant for another path is no mere unknown field. */
  request: FieldNames
  signalOfField: readonly OtlpSignal[]
  ofResource: FieldNames
  /** The last may stand for the records too. */
  ofScope: FieldNames
  /** Writes one record, or takes it back and says why. */
  transcodeRecord(t: Transcoder, tag: number): RejectedSpan | null
}

const TRACES: RequestNames = {
  // The third is how Tempo answers for a trace; who replays that means spans.
  request: createFieldNames('resourceSpans', 'resourceLogs', 'batches', 'resourceMetrics'),
  signalOfField: ['traces', 'logs', 'traces', 'metrics'],
  signal: 'traces',
  ofResource: createFieldNames('resource', 'scopeSpans', 'instrumentationLibrarySpans', 'schemaUrl'),
  ofScope: createFieldNames('scope', 'instrumentationLibrary', 'spans', 'schemaUrl'),
  transcodeRecord: transcodeSpan,
}
const LOGS: RequestNames = {
  request: createFieldNames('resourceLogs', 'resourceSpans', 'resourceMetrics'),
  signalOfField: ['logs', 'traces', 'metrics'],
  signal: 'logs',
  ofResource: createFieldNames('resource', 'scopeLogs', 'instrumentationLibraryLogs', 'schemaUrl'),
  ofScope: createFieldNames('scope', 'instrumentationLibrary', 'logRecords', 'schemaUrl', 'logs'),
  transcodeRecord: transcodeLog,
}
const SCHEMA_URL = 3
const RESOURCE = createFieldNames('attributes', 'droppedAttributesCount')
const SCOPE = createFieldNames('name', 'version', 'attributes', 'droppedAttributesCount')

/** The demo capture needs 0.32; a wrong guess costs one doubling. */
const PROTOBUF_PER_JSON = 0.4
const SLACK_BYTES = 1024

/** Rejected records: one, or all that were not told one by one any more. */
export interface RejectedSpans extends RejectedSpan {
  count: number
}

export interface TranscodedTraces {
  /** The request as protobuf, without the spans in `rejected`; to be scanned like any other. */
  body: Uint8Array
  rejected: RejectedSpans[]
  /** What was read otherwise than it was written, each once. */
  warnings: TranscodeWarning[]
  /** The signal that the body is of where it is not the one that was expected: nothing of that was read. */
  foreign: OtlpSignal | null
}

/** Memory to use again, by one call at a time: fresh pages cost a sixth of transcoding. */
export interface TranscodeMemory {
  writer?: ProtoWriter
  /** Where the result goes if it fits; may be the memory of the JSON itself, which is then overwritten. */
  target?: Uint8Array
}

/**
 * Rewrites an ExportTraceServiceRequest in JSON as protobuf, from bytes to bytes. Accepts what real exporters send:
 * lowerCamelCase and original names, 64-bit integers as strings or numbers (exact either way), enum names, null
 * anywhere, base64 in both alphabets, attributes as a plain object, the names of before 2022; unknown fields are
 * skipped. An id that is neither hex nor base64 is hashed and its text kept in an attribute (contract §3). A span with
 * a time of more than 64 bits is left out and described. `OtlpDecodeError`: no JSON, no such request, or over a limit.
 */
export function transcodeTracesJson(json: Uint8Array, limits: JsonLimits, memory: TranscodeMemory = {}): TranscodedTraces {
  return transcodeRequest(json, TRACES, limits, memory)
}

/** As `transcodeTracesJson`, for an ExportLogsServiceRequest. */
export function transcodeLogsJson(json: Uint8Array, limits: JsonLimits, memory: TranscodeMemory = {}): TranscodedTraces {
  return transcodeRequest(json, LOGS, limits, memory)
}

interface Transcoding extends Transcoder {
  names: RequestNames
  rejected: RejectedSpans[]
}

function transcodeRequest(json: Uint8Array, names: RequestNames, limits: JsonLimits, memory: TranscodeMemory): TranscodedTraces {
  const reader = new JsonReader(json, limits)
  const writer = memory.writer ?? new ProtoWriter(Math.ceil(json.byteLength * PROTOBUF_PER_JSON) + SLACK_BYTES)
  writer.at = 0
  const words = { low: 0, high: 0 }
  const t: Transcoding = { reader, writer, words, warnings: new Set(), rejectReason: null, names, rejected: [] }
  reader.peek()
  requireKind(reader, OPEN_BRACE, 'an object expected')
  const foreign = transcodeResources(t)
  reader.finish()
  return { body: writer.finish(memory.target), rejected: t.rejected, warnings: [...t.warnings], foreign }
}

function transcodeResources(t: Transcoding): OtlpSignal | null {
  const { reader, names } = t
  let found = false
  let foreign: OtlpSignal | null = null
  for (let field = reader.nextField(names.request, 0); field !== NO_FIELD; field = reader.nextField(names.request, 0)) {
    const signal = names.signalOfField[field]!
    if (signal !== names.signal) {
      foreign = signal
      reader.skipValue()
      continue
    }
    if (found) throw reader.malformed('the resources given twice')
    found = true
    eachMessage(reader, () => transcodeOfResource(t))
  }
  return foreign
}

function requireKind(reader: JsonReader, kind: number, what: string): void {
  if (reader.bytes[reader.at] !== kind) throw reader.malformed(what)
  reader.enter()
}

/** Envelopes and spans must be what they are called: to skip them would lose spans with a 200. null is left out. */
function eachMessage(reader: JsonReader, transcode: () => void): void {
  requireKind(reader, OPEN_BRACKET, 'an array expected')
  while (reader.nextElement()) {
    if (reader.isNull()) reader.literal()
    else if (reader.bytes[reader.at] === OPEN_BRACE) transcode()
    else throw reader.malformed('an object expected')
  }
}

function transcodeOfResource(t: Transcoding): void {
  const { reader, writer, names } = t
  const { ofResource } = names
  const opened = writer.open(0x0a)
  reader.enter()
  for (let field = reader.nextField(ofResource, 0); field !== NO_FIELD; field = reader.nextField(ofResource, field + 1)) {
    if (field === 0) transcodeResource(t)
    else if (field === SCHEMA_URL) transcodeText(t, 0x1a)
    else eachMessage(reader, () => transcodeOfScope(t))
  }
  writer.close(opened)
}

function transcodeResource(t: Transcoder): void {
  const { reader, writer } = t
  if (!enterObject(t)) return
  const opened = writer.open(0x0a)
  for (let field = reader.nextField(RESOURCE, 0); field !== NO_FIELD; field = reader.nextField(RESOURCE, field + 1)) {
    if (field === 0) transcodeAttributes(t, 0x0a)
    else writeCount(t, 0x10)
  }
  writer.close(opened)
}

function transcodeOfScope(t: Transcoding): void {
  const { reader, writer, names, rejected } = t
  const { ofScope } = names
  const opened = writer.open(0x12)
  reader.enter()
  for (let field = reader.nextField(ofScope, 0); field !== NO_FIELD; field = reader.nextField(ofScope, field + 1)) {
    if (field < 2) transcodeScope(t)
    else if (field === SCHEMA_URL) transcodeText(t, 0x1a)
    else {
      eachMessage(reader, () => {
        const refused = names.transcodeRecord(t, 0x12)
        if (refused !== null) noteRejected(rejected, refused)
      })
    }
  }
  writer.close(opened)
}

/** Beyond so many, rejected spans are only counted: a body may hold a million of them. */
const REJECTED_TOLD_MAX = 100

function noteRejected(rejected: RejectedSpans[], span: RejectedSpan): void {
  const counted = rejected.length < REJECTED_TOLD_MAX ? undefined : rejected.find(({ reason }) => reason === span.reason)
  if (counted) counted.count++
  else rejected.push({ ...span, count: 1 })
}

function transcodeScope(t: Transcoder): void {
  const { reader, writer } = t
  if (!enterObject(t)) return
  const opened = writer.open(0x0a)
  for (let field = reader.nextField(SCOPE, 0); field !== NO_FIELD; field = reader.nextField(SCOPE, field + 1)) {
    if (field === 0) transcodeText(t, 0x0a)
    else if (field === 1) transcodeText(t, 0x12)
    else if (field === 2) transcodeAttributes(t, 0x1a)
    else writeCount(t, 0x20)
  }
  writer.close(opened)
}
