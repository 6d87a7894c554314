import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { decodeLogs } from '@loopkit/shared/otlp/decode-logs'
import { encodeLogs } from '@loopkit/shared/otlp/encode-logs'
import { encodeTraces } from '@loopkit/shared/otlp/encode-traces'
import { arbitraryLogs, toLogsJson } from '@loopkit/shared/otlp/fixtures/arbitrary-logs'
import { arbitraryRequest } from '@loopkit/shared/otlp/fixtures/arbitrary-spans'
import { toJson } from '@loopkit/shared/otlp/fixtures/json-spans'
import { transcodeLogsJson } from '@loopkit/shared/otlp/transcode-json'
import fc from 'fast-check'
import { readCapture } from '../acceptance/source-spans.ts'
import { cutRequests } from '../bench/cut-requests.ts'
import { generateMix } from '../bench/generate-mix.ts'
import { intBetween, mulberry32 } from '../demo/random.ts'
import type { TraceRequestJson } from '../harness/otlp-json.ts'
import { encodeTraceRequest } from '../harness/otlp-protobuf.ts'
import { sharedData } from '../harness/shared-data.ts'
import { type JsonNode, listJsonNodes } from './json-nodes.ts'
import { listProtoFields, type ProtoField } from './proto-fields.ts'

/** The most spans of a body. */
export const SPANS_MAX = 10
/** Spans of agents carry whole prompts: larger bodies would only make fewer of them. */
const BODY_MAX_BYTES = 24 * 1024
const GENERATED_BODIES = 40
const LOGS_OF_A_BODY = 4
const JSON_LIMITS = { jsonDepthMax: 300, jsonValuesMax: 4_000_000 }
const PLAIN = { snakeCase: false, bareIntegers: false, escaped: false, spaced: false }

/** One request in both encodings, with what is needed to change it and to give it trace ids of its own. */
export interface CorpusBody {
  signal: 'traces' | 'logs'
  /** null for what the JSON types of the tests cannot say. */
  request: TraceRequestJson | null
  protobuf: Buffer
  fields: readonly ProtoField[]
  /** Where each trace id begins in `protobuf`. */
  traceIdsAt: readonly number[]
  /** The JSON text, cut at every trace id, without its first eight digits. */
  pieces: readonly string[]
  nodes: readonly JsonNode[]
}

/** Bodies of one to ten spans: public captures where they lie beside the checkout, and generated ones. */
export function readCorpus(): CorpusBody[] {
  const random = mulberry32(1)
  const requests = existsSync(sharedData) ? [...readRequests(), ...readFolder(join(sharedData, 'trail'))] : []
  const generated = generateMix(1, GENERATED_BODIES, 16)
  const oddities = [newcomersBody(), ...legacyBodies()]
  return [...cutRequests([...requests, ...generated], () => intBetween(random, 1, intBetween(random, 1, SPANS_MAX))), ...oddities]
    .map((request) => corpusBody('traces', request, Buffer.from(encodeTraceRequest(request)), JSON.stringify(request)))
    .concat(existsSync(sharedData) ? readLogs() : [])
    .filter(({ protobuf }) => protobuf.length <= BODY_MAX_BYTES)
}

/** Requests that no exporter would send and the rules allow, drawn by their structure. */
export function drawBodies(seed: number, count: number): CorpusBody[] {
  const spellings = [false, true].map((odd) => ({ snakeCase: odd, bareIntegers: odd, escaped: odd, spaced: odd }))
  const draw = <T>(arbitrary: fc.Arbitrary<T[]>, make: (records: T[], spelling: (typeof spellings)[number]) => CorpusBody) =>
    fc.sample(arbitrary, { seed, numRuns: count }).map((drawn, n) => make(drawn.slice(0, SPANS_MAX), spellings[n % 2]!))
  return [
    ...draw(arbitraryRequest, (spans, spelling) => drawnBody('traces', encodeTraces(spans), toJson(spans, spelling))),
    ...draw(arbitraryLogs, (logs, spelling) => drawnBody('logs', encodeLogs(logs), toLogsJson(logs, spelling))),
  ]
}

function drawnBody(signal: CorpusBody['signal'], protobuf: Uint8Array, json: Uint8Array): CorpusBody {
  return corpusBody(signal, null, Buffer.from(protobuf), Buffer.from(json).toString())
}

function corpusBody(signal: CorpusBody['signal'], request: TraceRequestJson | null, protobuf: Buffer, json: string): CorpusBody {
  const traceIds = new Set([...json.matchAll(/"trace_?[iI]d":\s*"([0-9a-f]{32})"/g)].map((match) => match[1]!))
  const traceIdsAt = [...traceIds].flatMap((id) => placesOf(protobuf, Buffer.from(id, 'hex')))
  const cuts = [...traceIds].flatMap((id) => placesOfText(json, id)).sort((a, b) => a - b)
  const pieces = [0, ...cuts].map((at, n) => json.slice(n === 0 ? 0 : at + 8, cuts[n] ?? json.length))
  return { signal, request, protobuf, fields: listProtoFields(protobuf), traceIdsAt, pieces, nodes: listJsonNodes(json) }
}

function placesOf(bytes: Buffer, wanted: Buffer): number[] {
  const places: number[] = []
  for (let at = bytes.indexOf(wanted); at >= 0; at = bytes.indexOf(wanted, at + wanted.length)) places.push(at)
  return places
}

function placesOfText(text: string, wanted: string): number[] {
  const places: number[] = []
  for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + wanted.length)) places.push(at)
  return places
}

function readRequests(): TraceRequestJson[] {
  return readCapture()
    .filter(({ kind }) => kind === 'traces')
    .map(({ line }) => JSON.parse(line) as TraceRequestJson)
}

/** Few of the captured records tell of an error; one of two requests is told again as if its service were failing. */
function readLogs(): CorpusBody[] {
  const lines = readCapture().filter(({ kind }) => kind === 'logs')
  return lines.flatMap(({ line }, n) => {
    const text = n % 2 === 0 ? line : line.replaceAll('"severityNumber":9', '"severityNumber":17')
    const logs = [...decodeLogs(transcodeLogsJson(Buffer.from(text), JSON_LIMITS).body)]
    const bodies = Array.from({ length: Math.ceil(logs.length / LOGS_OF_A_BODY) }, (_, part) =>
      logs.slice(part * LOGS_OF_A_BODY, (part + 1) * LOGS_OF_A_BODY),
    )
    return bodies.map((part) => drawnBody('logs', encodeLogs(part), toLogsJson(part, PLAIN)))
  })
}

function readFolder(folder: string): TraceRequestJson[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.otlp.json.gz'))
    .slice(0, 12)
    .flatMap((name) => {
      const request = JSON.parse(gunzipSync(readFileSync(join(folder, name))).toString()) as TraceRequestJson
      return Array.isArray(request.resourceSpans) ? [request] : []
    })
}

/** Ids that are no hex are kept as text; a span without an end is one that runs. */
function newcomersBody(): TraceRequestJson {
  const span = { traceId: '6c1f0aa5b6d24a0f9d0c8e7b5a493827', spanId: '00f067aa0ba902b7', name: 'tool_call_failed' }
  const status = { code: 2, message: 'tool failed with sk-ant-api03-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' }
  const attributes = [{ key: 'db.password', value: { stringValue: 'hunter2' } }]
  const spans = [{ ...span, startTimeUnixNano: '1781856000000000000', status, attributes }]
  return { resourceSpans: [{ scopeSpans: [{ spans }] }] }
}

/** A span sent twice in one body, ended the second time; every kind of value; all fields of event and link. */
function legacyBodies(): TraceRequestJson[] {
  const ids = { traceId: '7d1f0aa5b6d24a0f9d0c8e7b5a493828', spanId: '01f067aa0ba902b7' }
  const begun = { ...ids, name: 'step', startTimeUnixNano: '1781856000000000000' }
  const ended = { ...begun, endTimeUnixNano: '1781856001000000000' }
  const values = [
    { stringValue: 'text' },
    { boolValue: true },
    { intValue: '-9223372036854775808' },
    { doubleValue: 1.5 },
    { bytesValue: 'AQID' },
    { arrayValue: { values: [{ intValue: '1' }, {}] } },
    { kvlistValue: { values: [{ key: 'token', value: { stringValue: 'secret' } }] } },
  ]
  const attributes = values.map((value, n) => ({ key: `k${n}`, value }))
  const events = [{ timeUnixNano: '1781856000500000000', name: 'exception', attributes, droppedAttributesCount: 2 }]
  const links = [{ traceId: ids.traceId, spanId: '02f067aa0ba902b7', traceState: 'a=b', attributes, flags: 257 }]
  const full = { ...ended, spanId: '03f067aa0ba902b7', parentSpanId: ids.spanId, attributes, events, links, flags: 257 }
  return [[begun, ended], [full], [ended, begun, full]].map((spans) => ({ resourceSpans: [{ scopeSpans: [{ spans }] }] }))
}
