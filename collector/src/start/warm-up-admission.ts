import { createTraceHashWriter } from '@loopkit/shared/database/telemetry/trace-hash'
import { admitRows, beginAdmission, endAdmission } from '../admit/admission.ts'
import { createBloomFilter } from '../admit/bloom-filter.ts'
import { type DecodeLimits, prepare } from '../admit/prepare.ts'
import { createQuota } from '../admit/quota.ts'
import { SeenSpans, spansPerBodyMax } from '../admit/seen-spans.ts'
import { createSpanKeyer } from '../admit/span-keys.ts'
import { createMadeUpBody, warmUp } from './warm-up.ts'

const PLACES_LOG2 = 10

/** What the main thread does with a body, in a memory of its own. */
export function warmUpAdmission(
  limits: Omit<DecodeLimits, 'bodyMaxSpans'>,
  hashKey: Uint8Array,
  monotonicMs: () => number,
): void {
  const keyer = createSpanKeyer(hashKey)
  const hashTrace = createTraceHashWriter(hashKey)
  const bytes = createMadeUpBody()
  const raw = { signal: 'traces', encoding: 'protobuf', compression: 'identity', projectNo: 0, bytes } as const
  const caller = { projectNo: 0, projectId: '', quotaSpans: null, keyHash: null }
  warmUp((round) => {
    const prepared = prepare(raw, { ...limits, bodyMaxSpans: spansPerBodyMax(PLACES_LOG2) }, keyer)
    if (prepared.kind !== 'traces') return
    const seen = new SeenSpans({ placesLog2: PLACES_LOG2, older: createBloomFilter() })
    const context = { seen, quota: createQuota(new Map()), pending: new Map(), hashTrace }
    const admitting = beginAdmission(context, caller, prepared, null, round)
    admitRows(admitting, 0, prepared.scan.count)
    endAdmission(admitting)
  }, monotonicMs)
}
