import { decodeLogs } from '../otlp/decode-logs.ts'
import { LOG_RECORD_ID_KEY } from '../otlp/log-keys.ts'
import { ProtoWriter } from '../otlp/proto-writer.ts'
import { addToRecords, rewriteTraces } from '../otlp/rewrite-traces.ts'
import { scanLogs } from '../otlp/scan-logs.ts'
import { ACCEPTED, REJECT_REASONS, SOUND, type TraceScan, traceIdFault } from '../otlp/scan-records.ts'
import { ABSENT } from '../otlp/wire.ts'
import { createLogRecordHasher } from './log-record-id.ts'
import { loneTraceId } from './lone-trace-id.ts'
import { redactLogs } from './redact/redact-traces.ts'

/** What is left of a request of logs at the door. */
export interface KeptLogs {
  /** A request of the kept records alone, each with the id that it is known by. */
  body: Uint8Array
  scan: TraceScan
  /** Records that tell of no error. */
  notKept: number
  refused: RefusedLogs[]
}

/** Records refused alone, by reason. */
export interface RefusedLogs {
  reason: (typeof REJECT_REASONS)[number]
  count: number
  /** Of the first few, in hex. */
  traceIds: string[]
}

const TRACE_IDS_MAX = 3
const NOTHING = new Uint8Array(0)

/** Keeps the records that carry an exception or an error severity. Throws `OtlpDecodeError` where the body is no protobuf. */
export function keepLogs(body: Uint8Array, limits: { anyValueDepthMax: number }): KeptLogs {
  const all = scanLogs(body, limits)
  const drop = new Uint8Array(all.count)
  let notKept = 0
  let dropped = 0
  for (let i = 0; i < all.count; i++) {
    const isRefused = all.reject[i] !== ACCEPTED
    if (!isRefused && all.hasError[i] === 1) continue
    drop[i] = 1
    dropped++
    if (!isRefused) notKept++
  }
  const refused = dropped === notKept ? [] : listRefused(body, all)
  const kept = dropped === all.count ? NOTHING : nameRecords(rewriteTraces(body, all, drop), limits)
  return { body: kept, scan: scanLogs(kept, limits), notKept, refused }
}

/** By the bytes as they will be stored: secrets overwritten, in a copy, since that is counted where it is stored. */
function nameRecords(body: Uint8Array, limits: { anyValueDepthMax: number }): Uint8Array {
  const scan = scanLogs(body, limits)
  const redacted = new Uint8Array(body)
  redactLogs(redacted)
  const hash = createLogRecordHasher()
  const logs = decodeLogs(redacted)
  return addToRecords(body, scan, () => {
    const ctx = logs.next().value!
    const { traceId } = ctx.log
    const id = hash(ctx)
    const hasTrace = traceIdFault(traceId, 0, traceId.length) === SOUND
    return idAttribute(hasTrace ? id : loneTraceId(id))
  })
}

function idAttribute(id: Uint8Array): Uint8Array {
  const writer = new ProtoWriter(64)
  const attribute = writer.open(0x32)
  writer.text(0x0a, LOG_RECORD_ID_KEY)
  const value = writer.open(0x12)
  writer.field(0x3a, id)
  writer.close(value)
  writer.close(attribute)
  return writer.finish()
}

function listRefused(body: Uint8Array, { count, reject, traceIdAt }: TraceScan): RefusedLogs[] {
  const byReason = new Map<number, RefusedLogs>()
  for (let i = 0; i < count; i++) {
    if (reject[i] === ACCEPTED) continue
    const refused = byReason.get(reject[i]!) ?? { reason: REJECT_REASONS[reject[i]!]!, count: 0, traceIds: [] }
    byReason.set(reject[i]!, refused)
    refused.count++
    const at = traceIdAt[i]!
    if (at === ABSENT || refused.traceIds.length >= TRACE_IDS_MAX) continue
    const traceId = Buffer.from(body.buffer, body.byteOffset + at, 16).toString('hex')
    if (!refused.traceIds.includes(traceId)) refused.traceIds.push(traceId)
  }
  return [...byReason.values()]
}
