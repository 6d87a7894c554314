import type { RecordKind } from '@loopkit/shared/database/telemetry/record-codecs'
import { createTraceHashWriter } from '@loopkit/shared/database/telemetry/trace-hash'
import { createAttributeFilter } from '@loopkit/shared/otlp/decode-traces'
import { ProtoWriter } from '@loopkit/shared/otlp/proto-writer'
import { DETECTION_KEYS } from '@loopkit/shared/signals/detect'
import { redactLogs, redactTraces } from '@loopkit/shared/span/redact/redact-traces'
import { WANTED_KEYS, WANTED_PREFIXES } from '@loopkit/shared/span/wanted-keys'
import {
  type Admission,
  type AdmissionContext,
  admitRows,
  beginAdmission,
  confirmAdmission,
  endAdmission,
  revokeAdmission,
} from '../../collector/src/admit/admission.ts'
import { createBloomFilter } from '../../collector/src/admit/bloom-filter.ts'
import { type DecodeLimits, type PreparedTraces, prepare } from '../../collector/src/admit/prepare.ts'
import { createQuota } from '../../collector/src/admit/quota.ts'
import { SeenSpans, spansPerBodyMax } from '../../collector/src/admit/seen-spans.ts'
import { createSpanKeyer } from '../../collector/src/admit/span-keys.ts'
import { createLogIndexer } from '../../collector/src/write/index-logs.ts'
import { createSpanIndexer } from '../../collector/src/write/index-spans.ts'
import { createShapeMemo } from '../../collector/src/write/shape-memo.ts'

/** The settings' defaults, but for the spans of a body. */
const PLACES_LOG2 = 12
const LIMITS: DecodeLimits = {
  bodyMaxBytes: 64 * 1024 ** 2,
  anyValueDepthMax: 64,
  jsonDepthMax: 300,
  jsonValuesMax: 4_000_000,
  bodyMaxSpans: spansPerBodyMax(PLACES_LOG2),
}
const CALLER = { projectNo: 1, projectId: 'fuzz-00000000', keyHash: null, quotaSpans: null }
/** Shapes remembered between bodies are forgotten by then: hostile ones are all different. */
const MEMO_BODIES = 2_000

/** A body as an exporter sends it. */
export interface SentBody {
  signal: 'traces' | 'logs'
  encoding: 'json' | 'protobuf'
  compression?: 'identity' | 'gzip'
  bytes: Uint8Array
}

/** The product's own steps from a body to what its writer puts on the disk, without threads and files. */
export interface ProductPath {
  prepare(sent: SentBody): ReturnType<typeof prepare>
  admit(prepared: PreparedTraces): Admission
  /** Ends what `admit` began, as the disk's answer would. */
  settle(admission: Admission, isCommitted: boolean): void
  redact(kind: RecordKind, body: Uint8Array): number
  /** Runs that the index counts for the body; log records are none. */
  index(kind: RecordKind, body: Uint8Array): number
}

export function createProductPath(): ProductPath {
  const hashKey = new Uint8Array(16).fill(7)
  const keyer = createSpanKeyer(hashKey)
  const seen = new SeenSpans({ placesLog2: PLACES_LOG2, older: createBloomFilter() })
  const hashTrace = createTraceHashWriter(hashKey)
  const context: AdmissionContext = { seen, quota: createQuota(new Map()), pending: new Map(), hashTrace }
  const rules = {
    filter: createAttributeFilter([...WANTED_KEYS, ...DETECTION_KEYS], WANTED_PREFIXES),
    signalsOff: new Set<never>(),
  }
  // Kept between bodies as a decode worker keeps it: what one left there must not show in the next.
  const writer = new ProtoWriter()
  let memo = createShapeMemo(rules)
  let owner = 0
  let indexed = 0
  return {
    prepare: ({ compression = 'identity', ...sent }) =>
      prepare({ ...sent, compression, projectNo: CALLER.projectNo }, LIMITS, keyer, { writer }),
    admit(prepared) {
      seen.makeRoom(prepared.scan.count)
      const admitting = beginAdmission(context, CALLER, prepared, null, ++owner)
      admitRows(admitting, 0, prepared.scan.count)
      return endAdmission(admitting)
    },
    settle({ stored }, isCommitted) {
      if (stored === null) return
      if (isCommitted) confirmAdmission(context, stored)
      else revokeAdmission(context, stored)
    },
    redact: (kind, body) => (kind === 'log' ? redactLogs(body) : redactTraces(body)),
    index(kind, body) {
      if (++indexed % MEMO_BODIES === 0) memo = createShapeMemo(rules)
      const indexer = kind === 'log' ? createLogIndexer(rules) : createSpanIndexer(rules, memo)
      indexer.add(body, new Set())
      return indexer.finish().runs.reduce((sum, { runs }) => sum + runs, 0)
    },
  }
}
