import { ORIGINAL_PARENT_SPAN_ID, ORIGINAL_SPAN_ID, ORIGINAL_TRACE_ID, parseSpanId, parseTraceId } from '../ids.ts'
import { createFieldNames, NO_FIELD } from './field-names.ts'
import {
  namedId,
  type RejectedSpan,
  transcodeId,
  transcodeTime,
  writeCount,
  writeEnum,
  writeFlags,
  writeOriginal,
} from './transcode-field.ts'
import { transcodeAttributes } from './transcode-value.ts'
import { enterArray, enterObject, type Transcoder, transcodeText } from './transcoder.ts'

/** In the order in which most senders write them, since each is looked for behind the one before it first. */
const SPAN = createFieldNames(
  'traceId',
  'spanId',
  'parentSpanId',
  'name',
  'kind',
  'startTimeUnixNano',
  'endTimeUnixNano',
  'attributes',
  'status',
  'events',
  'links',
  'droppedAttributesCount',
  'droppedEventsCount',
  'droppedLinksCount',
  'traceState',
  'flags',
)
const EVENTS = 9
const EVENT = createFieldNames('timeUnixNano', 'name', 'attributes', 'droppedAttributesCount')
const LINK = createFieldNames('traceId', 'spanId', 'traceState', 'attributes', 'droppedAttributesCount', 'flags')
const STATUS = createFieldNames('code', 'message')

const KINDS = ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'].map((name) => `SPAN_KIND_${name}`)
const STATUS_CODES = ['STATUS_CODE_UNSET', 'STATUS_CODE_OK', 'STATUS_CODE_ERROR']

/** The texts of a span's ids that were kept as hashes, which go into attributes of the span. */
interface Originals {
  trace: string | null
  span: string | null
  parent: string | null
}

/** Writes the Span that starts here as a field of this tag; one that cannot be kept is taken back and described. */
export function transcodeSpan(t: Transcoder, tag: number): RejectedSpan | null {
  const { writer } = t
  const begun = writer.at
  const opened = writer.open(tag)
  const originals: Originals = { trace: null, span: null, parent: null }
  t.rejectReason = null
  const traceIdAt = transcodeSpanFields(t, originals)
  if (t.rejectReason !== null) {
    writer.at = begun
    return { reason: t.rejectReason, traceId: namedId(t, traceIdAt) }
  }
  writeOriginal(t, 0x4a, ORIGINAL_TRACE_ID, originals.trace)
  writeOriginal(t, 0x4a, ORIGINAL_SPAN_ID, originals.span)
  writeOriginal(t, 0x4a, ORIGINAL_PARENT_SPAN_ID, originals.parent)
  writer.close(opened)
  return null
}

/** Gives the place of the trace id. */
function transcodeSpanFields(t: Transcoder, originals: Originals): number {
  const { reader } = t
  let traceIdAt = -1
  reader.enter()
  for (let field = reader.nextField(SPAN, 0); field !== NO_FIELD; field = reader.nextField(SPAN, field + 1)) {
    switch (field) {
      case 0:
        traceIdAt = reader.at
        originals.trace = transcodeId(t, 0x0a, 32, parseTraceId)
        break
      case 1:
        originals.span = transcodeId(t, 0x12, 16, parseSpanId)
        break
      case 2:
        originals.parent = transcodeId(t, 0x22, 16, parseSpanId)
        break
      case 3:
        transcodeText(t, 0x2a)
        break
      case 4:
        writeEnum(t, 0x30, KINDS)
        break
      case 5:
        transcodeTime(t, 0x39)
        break
      case 6:
        transcodeTime(t, 0x41)
        break
      case 7:
        transcodeAttributes(t, 0x4a)
        break
      case 8:
        transcodeStatus(t)
        break
      default:
        transcodeRareField(t, field)
    }
  }
  return traceIdAt
}

function transcodeRareField(t: Transcoder, field: number): void {
  const { reader, writer } = t
  if (field === 11) writeCount(t, 0x50)
  else if (field === 12) writeCount(t, 0x60)
  else if (field === 13) writeCount(t, 0x70)
  else if (field === 14) transcodeText(t, 0x1a)
  else if (field === 15) writeFlags(t, 0x85)
  else if (enterArray(t)) {
    while (reader.nextElement()) {
      if (!enterObject(t)) continue
      const opened = writer.open(field === EVENTS ? 0x5a : 0x6a)
      if (field === EVENTS) transcodeEvent(t)
      else transcodeLink(t)
      writer.close(opened)
    }
  }
}

function transcodeEvent(t: Transcoder): void {
  const { reader } = t
  for (let field = reader.nextField(EVENT, 0); field !== NO_FIELD; field = reader.nextField(EVENT, field + 1)) {
    if (field === 0) transcodeTime(t, 0x09)
    else if (field === 1) transcodeText(t, 0x12)
    else if (field === 2) transcodeAttributes(t, 0x1a)
    else writeCount(t, 0x20)
  }
}

function transcodeLink(t: Transcoder): void {
  const { reader } = t
  for (let field = reader.nextField(LINK, 0); field !== NO_FIELD; field = reader.nextField(LINK, field + 1)) {
    if (field === 0) transcodeId(t, 0x0a, 32, parseTraceId)
    else if (field === 1) transcodeId(t, 0x12, 16, parseSpanId)
    else if (field === 2) transcodeText(t, 0x1a)
    else if (field === 3) transcodeAttributes(t, 0x22)
    else if (field === 4) writeCount(t, 0x28)
    else writeFlags(t, 0x35)
  }
}

function transcodeStatus(t: Transcoder): void {
  const { reader, writer } = t
  if (!enterObject(t)) return
  const opened = writer.open(0x7a)
  for (let field = reader.nextField(STATUS, 0); field !== NO_FIELD; field = reader.nextField(STATUS, field + 1)) {
    if (field === 0) writeEnum(t, 0x18, STATUS_CODES)
    else transcodeText(t, 0x12)
  }
  writer.close(opened)
}
