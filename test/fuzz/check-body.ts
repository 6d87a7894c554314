import { codecOf, type RecordKind } from '@loopkit/shared/database/telemetry/record-codecs'
import { ACCEPTED } from '@loopkit/shared/otlp/scan-records'
import { packSegment, unpackSegment } from '@loopkit/shared/segment/pack-segment'
import { decodeRecordId, encodeRecordId } from '@loopkit/shared/span/record-id'
import type { Admission, AdmittedBody } from '../../collector/src/admit/admission.ts'
import type { PreparedTraces } from '../../collector/src/admit/prepare.ts'
import { promise } from './broken-promise.ts'
import { checkBothWays, checkLogsBothWays } from './check-encodings.ts'
import { checkReading } from './check-reading.ts'
import type { FuzzBody } from './draw-body.ts'
import { equalBytes } from './equal-values.ts'
import type { ProductPath } from './product-path.ts'

/** What became of a body's spans. */
export interface Fate {
  /** null: it was read. */
  refused: string | null
  spans: number
  rejected: number
  /** Known already, or replaced within the body. */
  dropped: number
  stored: number
}

const REFUSALS: ReadonlySet<string> = new Set([
  'malformed_protobuf',
  'malformed_json',
  'too_deep',
  'too_many_values',
  'body_too_large',
])
/** Costlier promises are asked of every so-manieth body. */
const EVERY = { grammar: 4, bothWays: 12, reading: 12, segment: 64, revoke: 5 } as const

/** Sends one body down the product's path. Throws a BrokenPromiseError, or whatever the product threw. */
export function checkBody(path: ProductPath, body: Exclude<FuzzBody, { encoding: 'both' }>, n: number): Fate {
  const { encoding, bytes } = body
  const sent = Buffer.from(bytes)
  const prepared = path.prepare(body)
  if (prepared.kind === 'refused') {
    promise(REFUSALS.has(prepared.code), `refused as ${prepared.code}`)
    return { refused: prepared.code, spans: 0, rejected: 0, dropped: 0, stored: 0 }
  }
  if (prepared.kind === 'count') return { refused: null, spans: 0, rejected: 0, dropped: 0, stored: 0 }
  if (encoding === 'json' && n % EVERY.grammar === 0) checkGrammar(sent)
  const admission = path.admit(prepared)
  const fate = fateOf(prepared, admission)
  if (admission.stored) checkStored(path, prepared, admission.stored, n)
  path.settle(admission, n % EVERY.revoke !== 0)
  promise(encoding === 'json' || equalBytes(sent, bytes), 'a body was changed before it was stored')
  return fate
}

/** What is taken is JSON to a strict reader, too. */
function checkGrammar(bytes: Buffer): void {
  let isJson = true
  try {
    JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    isJson = false
  }
  promise(isJson, 'a body that is no JSON was taken')
}

/** Every span that was sent is stored, rejected or known: none is lost and none made up. */
function fateOf({ scan, rejected }: PreparedTraces, { stored, rejections, ledger }: Admission): Fate {
  const dropped = ['deduplicated', 'conflict'].reduce((sum, what) => sum + (ledger.get(what) ?? 0), 0)
  const refusedBefore = rejected.reduce((sum, { count }) => sum + count, 0)
  const fate = {
    refused: null,
    spans: scan.count + refusedBefore,
    rejected: rejections.count(),
    dropped: dropped + replacedWithin(scan.count, stored, rejections.count() - refusedBefore + dropped),
    stored: stored?.spans ?? 0,
  }
  promise(fate.spans === fate.rejected + fate.dropped + fate.stored, 'spans sent are not those stored, rejected and known')
  return fate
}

/** A span that ended later in the same body leaves no count of its own beside `replaced`; at least it is not negative. */
function replacedWithin(count: number, stored: AdmittedBody | null, others: number): number {
  const replaced = count - others - (stored?.spans ?? 0)
  promise(replaced >= 0 && replaced <= (stored?.ledger.get('replaced') ?? 0), 'more spans are missing than were replaced')
  return replaced
}

function checkStored(path: ProductPath, prepared: PreparedTraces, stored: AdmittedBody, n: number): void {
  const { body, spans: count, recordKind } = stored
  const records = [...codecOf(recordKind).decode(body)]
  promise(records.length === count, 'the stored body does not decode to as many records as were accepted')
  checkRewrite(prepared, body, count)
  checkRedaction(path, recordKind, body, count)
  for (const { span } of records.slice(0, 2)) checkRecordId(span.traceId, span.spanId)
  if (n % EVERY.bothWays === 0) {
    if (recordKind === 'log') checkLogsBothWays(path, body, n)
    else checkBothWays(path, records, n)
  }
  if (n % EVERY.reading === 0) checkReading(records)
  if (n % EVERY.segment === 0)
    promise(equalBytes(unpackSegment(packSegment([body]), body.length), body), 'a segment is not what was packed')
}

/** The kept records, in order, byte for byte; nothing rejected among them. */
function checkRewrite({ body, scan, recordKind }: PreparedTraces, stored: Uint8Array, count: number): void {
  if (stored === body)
    return void promise(
      scan.reject.every((reason) => reason === ACCEPTED),
      'a rejected span was stored',
    )
  const again = codecOf(recordKind).scan(stored)
  promise(again.count === count, 'a rewritten body does not hold the spans that were kept')
  let row = 0
  for (let i = 0; i < count; i++) {
    promise(again.reject[i] === ACCEPTED, 'a rejected span was stored')
    const kept = stored.subarray(again.spanStart[i], again.spanEnd[i])
    while (row < scan.count && !equalBytes(kept, body.subarray(scan.spanStart[row], scan.spanEnd[row]))) row++
    promise(row < scan.count, 'a rewritten body holds a span that was not sent')
    row++
  }
}

/** What the writer does before it stores: same length, same records, and a second time nothing is left to do. */
function checkRedaction(path: ProductPath, kind: RecordKind, body: Uint8Array, count: number): void {
  const redacted = new Uint8Array(body)
  const { scan } = codecOf(kind)
  const before = scan(body)
  const changed = path.redact(kind, redacted)
  promise(redacted.length === body.length, 'redaction changed the length')
  promise(changed > 0 || equalBytes(redacted, body), 'redaction changed what it did not count')
  if (changed > 0) {
    const after = scan(redacted)
    promise(
      after.count === count && equalIds(body, before, redacted, after),
      'redaction changed ids, times or the number of spans',
    )
    promise(path.redact(kind, redacted) === 0, 'a second redaction finds secrets')
  }
  const runs = path.index(kind, redacted)
  promise(kind === 'log' || runs === count, 'the index counts other runs than there are spans')
}

type Scan = PreparedTraces['scan']

function equalIds(a: Uint8Array, scanA: Scan, b: Uint8Array, scanB: Scan): boolean {
  for (let i = 0; i < scanA.count; i++) {
    if (scanA.reject[i] !== scanB.reject[i] || scanA.startNano[i] !== scanB.startNano[i] || scanA.endNano[i] !== scanB.endNano[i])
      return false
    const ids = (body: Uint8Array, scan: Scan) => body.subarray(scan.traceIdAt[i], scan.traceIdAt[i]! + 16)
    if (!equalBytes(ids(a, scanA), ids(b, scanB))) return false
  }
  return true
}

function checkRecordId(traceId: Uint8Array, spanId: Uint8Array): void {
  const decoded = decodeRecordId(encodeRecordId(traceId, spanId))
  promise(
    decoded !== null && equalBytes(decoded.traceId, traceId) && equalBytes(decoded.spanId, spanId),
    'a record id does not lead back',
  )
}
