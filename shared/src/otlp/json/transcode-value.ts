import type { ProtoWriter } from '../proto-writer.ts'
import { writeBase64 } from './base64.ts'
import { copyString } from './copy-string.ts'
import { parseInt64 } from './decimal.ts'
import { createFieldNames, NO_FIELD } from './field-names.ts'
import { QUOTE } from './json-escape.ts'
import { createUsualRun, OPEN_BRACE, OPEN_BRACKET } from './json-reader.ts'
import { enterArray, enterObject, readScalarText, type Transcoder, transcodeText } from './transcoder.ts'
import { transcodeUsualAttribute } from './usual-attribute.ts'

const KEY_VALUE = createFieldNames('key', 'value')
const ANY_VALUE = createFieldNames(
  'stringValue',
  'boolValue',
  'intValue',
  'doubleValue',
  'arrayValue',
  'kvlistValue',
  'bytesValue',
)
const LIST = createFieldNames('values')

/** An attribute whose value is a text, as nearly every exporter writes it. */
const KEY_FIRST = createUsualRun('{"key":"', 1, 1)
const TEXT_NEXT = createUsualRun(',"value":{"stringValue":"', 2, 1)
const CLOSE_BOTH = createUsualRun('}}', 0, -2)

/**
 * Writes the attributes that start here, each as a field of this tag. Besides the list of key and value that OTLP has,
 * a plain object is read, since some exporters send one.
 */
export function transcodeAttributes(t: Transcoder, tag: number): void {
  if (t.reader.bytes[t.reader.at] === OPEN_BRACE) transcodePlainEntries(t, tag)
  else if (enterArray(t)) while (t.reader.nextElement()) transcodeKeyValue(t, tag)
}

function transcodeKeyValue(t: Transcoder, tag: number): void {
  if (transcodeUsualAttribute(t, tag)) return
  const { reader, writer } = t
  const usual = reader.skip(KEY_FIRST)
  if (!usual && !enterObject(t)) return
  const opened = writer.open(tag)
  if (!usual || !transcodeTextValue(t)) {
    for (let field = reader.nextField(KEY_VALUE, 0); field !== NO_FIELD; field = reader.nextField(KEY_VALUE, field + 1)) {
      if (field === 0) transcodeText(t, 0x0a)
      else {
        const value = writer.open(0x12)
        transcodeAnyValue(t)
        writer.close(value)
      }
    }
  }
  writer.close(opened)
}

/** Reads on from the key where the value is a text, as most are; false where the object holds anything else or more. */
function transcodeTextValue(t: Transcoder): boolean {
  const { reader, writer } = t
  transcodeText(t, 0x0a)
  if (!reader.skip(TEXT_NEXT)) return false
  const value = writer.open(0x12)
  transcodeText(t, 0x0a)
  const closed = reader.skip(CLOSE_BOTH)
  if (!closed) transcodeValueFields(t)
  writer.close(value)
  return closed
}

/** Writes the content of an AnyValue. A value that is not wrapped in its type is read as the JSON it is. */
export function transcodeAnyValue(t: Transcoder): void {
  const { reader } = t
  if (reader.bytes[reader.at] !== OPEN_BRACE) {
    transcodePlain(t)
    return
  }
  reader.enter()
  transcodeValueFields(t)
}

function transcodeValueFields(t: Transcoder): void {
  const { reader } = t
  for (let field = reader.nextField(ANY_VALUE, 0); field !== NO_FIELD; field = reader.nextField(ANY_VALUE, field + 1)) {
    if (field === 0) transcodeText(t, 0x0a)
    else if (field === 1) transcodeBoolean(t)
    else if (field === 2) transcodeInt(t)
    else if (field === 3) transcodeDouble(t)
    else if (field === 4) transcodeList(t, 0x2a)
    else if (field === 5) transcodeList(t, 0x32)
    else transcodeBytes(t)
  }
}

/** An ArrayValue or a KeyValueList: both hold their elements in `values`. */
function transcodeList(t: Transcoder, tag: number): void {
  const { reader, writer } = t
  if (!enterObject(t)) return
  const opened = writer.open(tag)
  while (reader.nextField(LIST, 0) !== NO_FIELD) {
    if (tag === 0x32) transcodeAttributes(t, 0x0a)
    else if (enterArray(t)) while (reader.nextElement()) transcodeElement(t, transcodeAnyValue)
  }
  writer.close(opened)
}

/** null in an array is the empty value: leaving it out would move its neighbours. */
function transcodeElement(t: Transcoder, transcode: (t: Transcoder) => void): void {
  const opened = t.writer.open(0x0a)
  if (t.reader.isNull()) t.reader.literal()
  else transcode(t)
  t.writer.close(opened)
}

function transcodePlain(t: Transcoder): void {
  const { reader, writer } = t
  const first = reader.bytes[reader.at]!
  if (first === QUOTE) transcodeText(t, 0x0a)
  else if (first === 0x74 || first === 0x66) transcodeBoolean(t)
  else if (first === 0x6e) reader.literal()
  else if (first === OPEN_BRACE) {
    const opened = writer.open(0x32)
    transcodePlainEntries(t, 0x0a)
    writer.close(opened)
  } else if (first === OPEN_BRACKET) {
    const opened = writer.open(0x2a)
    reader.enter()
    while (reader.nextElement()) transcodeElement(t, transcodePlain)
    writer.close(opened)
  } else transcodeInt(t)
}

function transcodePlainEntries(t: Transcoder, tag: number): void {
  const { reader, writer } = t
  reader.enter()
  while (reader.nextKey()) {
    const opened = writer.open(tag)
    const valueAt = reader.at
    const key = writer.open(0x0a)
    reader.at = reader.textStart - 1
    copyString(reader, writer)
    reader.at = valueAt
    writer.close(key)
    const value = writer.open(0x12)
    transcodePlain(t)
    writer.close(value)
    writer.close(opened)
  }
}

function transcodeBoolean(t: Transcoder): void {
  const { reader, writer } = t
  const start = reader.at
  reader.skipValue()
  const text = reader.bytes.toString('latin1', start, Math.min(reader.at, start + 8)).replaceAll('"', '')
  if (text !== 'true' && text !== 'false') t.warnings.add('a value of an unexpected type was left out')
  else {
    writer.tag(0x10)
    writer.varint(text === 'true' ? 1 : 0)
  }
}

/** A number that is no integer of 64 bits becomes a double: exporters in JavaScript write 1e+21 into `intValue`. */
function transcodeInt(t: Transcoder): void {
  const { reader, writer, words } = t
  if (!readScalarText(t)) return
  const source = reader.resolved()
  if (parseInt64(source, reader.textStart, reader.textEnd, words)) {
    writer.tag(0x18)
    writer.words(words.low, words.high)
    return
  }
  const value = decimalValue(source.toString('latin1', reader.textStart, reader.textEnd))
  if (value === null) t.warnings.add('a value of an unexpected type was left out')
  else if (Number.isSafeInteger(value) && !Object.is(value, -0)) {
    writer.tag(0x18)
    writer.int64(BigInt(value))
  } else writeDouble(writer, value)
}

function transcodeDouble(t: Transcoder): void {
  const { reader, writer } = t
  const quoted = reader.bytes[reader.at] === QUOTE
  if (!readScalarText(t)) return
  const text = reader.text()
  const value = quoted ? decimalValue(text) : Number(text)
  if (value === null) t.warnings.add('a value of an unexpected type was left out')
  else writeDouble(writer, value)
}

function writeDouble(writer: ProtoWriter, value: number): void {
  writer.tag(0x21)
  writer.double(value)
}

/** The number that a text is by JSON's grammar or by one of proto3's three names; null for any other text. */
function decimalValue(text: string): number | null {
  if (/^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(text)) return Number(text)
  if (text === 'NaN') return Number.NaN
  if (text === 'Infinity') return Number.POSITIVE_INFINITY
  return text === '-Infinity' ? Number.NEGATIVE_INFINITY : null
}

function transcodeBytes(t: Transcoder): void {
  const { reader, writer } = t
  const valueAt = reader.at
  const begun = writer.at
  if (reader.bytes[valueAt] !== QUOTE) {
    t.warnings.add('a value of an unexpected type was left out')
    reader.skipValue()
    return
  }
  reader.string()
  const opened = writer.open(0x3a)
  if (writeBase64(writer, reader.resolved(), reader.textStart, reader.textEnd)) writer.close(opened)
  else {
    t.warnings.add('bytes that are no base64 were kept as text')
    writer.at = begun
    reader.at = valueAt
    transcodeText(t, 0x0a)
  }
}
