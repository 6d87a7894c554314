import { createFieldNames, type FieldNames, NO_FIELD } from './json/field-names.ts'
import { type JsonLimits, JsonReader, OPEN_BRACE, OPEN_BRACKET } from './json/json-reader.ts'
import { readTag, skipField, varintEnd } from './wire.ts'

/** The way from a request down to its records: at each level the tags and the names that lead on, those of before 2022 too. */
interface Level {
  tags: readonly number[]
  names: FieldNames
}

function level(fields: readonly number[], ...names: string[]): Level {
  return { tags: fields.map((field) => field * 8 + 2), names: createFieldNames(...names) }
}

const LEVELS: { readonly [signal in 'logs' | 'metrics']: readonly Level[] } = {
  logs: [
    level([1], 'resourceLogs'),
    level([2, 1000], 'scopeLogs', 'instrumentationLibraryLogs'),
    level([2], 'logRecords', 'logs'),
  ],
  metrics: [
    level([1], 'resourceMetrics'),
    level([2, 1000], 'scopeMetrics', 'instrumentationLibraryMetrics'),
    level([2], 'metrics'),
    level([5, 7, 9, 10, 11], 'gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary'),
    level([1], 'dataPoints'),
  ],
}

/**
 * How many log records or metric data points a request holds, without reading them. Parts of an unexpected type hold
 * none. Throws `OtlpDecodeError` for a body that is neither protobuf nor JSON, or over the limits of JSON.
 */
export function countRecords(
  body: Uint8Array,
  signal: 'logs' | 'metrics',
  encoding: 'json' | 'protobuf',
  limits: JsonLimits,
): number {
  const levels = LEVELS[signal]
  if (encoding === 'protobuf') return countInMessage(body, 0, body.length, levels, 0)
  const reader = new JsonReader(body, limits)
  if (reader.peek() !== OPEN_BRACE) throw reader.malformed('an object expected')
  const count = countInObject(reader, levels, 0)
  reader.finish()
  return count
}

function countInMessage(body: Uint8Array, start: number, end: number, levels: readonly Level[], depth: number): number {
  const { tags } = levels[depth]!
  let count = 0
  for (let p = start; p < end; ) {
    const tag = readTag(body, p, end)
    p = varintEnd(body, p, end)
    const next = skipField(body, tag, p, end)
    if (tags.includes(tag)) {
      count += depth === levels.length - 1 ? 1 : countInMessage(body, varintEnd(body, p, end), next, levels, depth + 1)
    }
    p = next
  }
  return count
}

function countInObject(reader: JsonReader, levels: readonly Level[], depth: number): number {
  let count = 0
  reader.enter()
  while (reader.nextField(levels[depth]!.names, 0) !== NO_FIELD) count += countInField(reader, levels, depth)
  return count
}

/** The value of a field that leads on: a list of messages, one message, or, at the last level, the list of records. */
function countInField(reader: JsonReader, levels: readonly Level[], depth: number): number {
  const isLast = depth === levels.length - 1
  const kind = reader.bytes[reader.at]
  if (kind === OPEN_BRACE && !isLast) return countInObject(reader, levels, depth + 1)
  if (kind !== OPEN_BRACKET) {
    reader.skipValue()
    return 0
  }
  let count = 0
  reader.enter()
  while (reader.nextElement()) {
    if (!isLast && reader.bytes[reader.at] === OPEN_BRACE) count += countInObject(reader, levels, depth + 1)
    else {
      if (isLast && !reader.isNull()) count++
      reader.skipValue()
    }
  }
  return count
}
