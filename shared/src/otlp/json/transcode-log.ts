import { ORIGINAL_SPAN_ID, ORIGINAL_TRACE_ID, parseSpanId, parseTraceId } from '../ids.ts'
import { SEVERITY_NAMES } from '../log-severity.ts'
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
import { transcodeAnyValue, transcodeAttributes } from './transcode-value.ts'
import { type Transcoder, transcodeText } from './transcoder.ts'

const LOG = createFieldNames(
  'timeUnixNano',
  'observedTimeUnixNano',
  'severityNumber',
  'severityText',
  'body',
  'attributes',
  'droppedAttributesCount',
  'flags',
  'traceId',
  'spanId',
  'eventName',
)

/** The texts of the ids that were kept as hashes, which go into attributes of the record. */
interface Originals {
  trace: string | null
  span: string | null
}

/** Writes the LogRecord that starts here as a field of this tag; one that cannot be kept is taken back and described. */
export function transcodeLog(t: Transcoder, tag: number): RejectedSpan | null {
  const { writer } = t
  const begun = writer.at
  const opened = writer.open(tag)
  const originals: Originals = { trace: null, span: null }
  t.rejectReason = null
  const traceIdAt = transcodeLogFields(t, originals)
  if (t.rejectReason !== null) {
    writer.at = begun
    return { reason: t.rejectReason, traceId: namedId(t, traceIdAt) }
  }
  writeOriginal(t, 0x32, ORIGINAL_TRACE_ID, originals.trace)
  writeOriginal(t, 0x32, ORIGINAL_SPAN_ID, originals.span)
  writer.close(opened)
  return null
}

/** Gives the place of the trace id. */
function transcodeLogFields(t: Transcoder, originals: Originals): number {
  const { reader } = t
  let traceIdAt = -1
  reader.enter()
  for (let field = reader.nextField(LOG, 0); field !== NO_FIELD; field = reader.nextField(LOG, field + 1)) {
    if (field === 0) transcodeTime(t, 0x09)
    else if (field === 1) transcodeTime(t, 0x59)
    else if (field === 2) writeEnum(t, 0x10, SEVERITY_NAMES)
    else if (field === 3) transcodeText(t, 0x1a)
    else if (field === 4) transcodeBody(t)
    else if (field === 5) transcodeAttributes(t, 0x32)
    else if (field === 6) writeCount(t, 0x38)
    else if (field === 7) writeFlags(t, 0x45)
    else if (field === 8) {
      traceIdAt = reader.at
      originals.trace = transcodeId(t, 0x4a, 32, parseTraceId)
    } else if (field === 9) originals.span = transcodeId(t, 0x52, 16, parseSpanId)
    else transcodeText(t, 0x62)
  }
  return traceIdAt
}

function transcodeBody(t: Transcoder): void {
  const opened = t.writer.open(0x2a)
  transcodeAnyValue(t)
  t.writer.close(opened)
}
