import { opaqueId } from '../opaque-id.ts'
import type { PainReading } from '../pain-facts.ts'
import type { EvalCandidate } from './model.ts'

/** Most records that a candidate names on each side. */
const RECORDS_MAX = 10

/**
 * A test drafted from the first failing record: what it was asked to do, what must not show again, and records it must fail and
 * pass on. null without evidence to draft from.
 */
export function evalCandidateOf({ facts, detail }: PainReading, painId: string): EvalCandidate | null {
  const [first] = detail.evidence
  if (!first) return null
  const target = `${facts.service}: ${facts.operation}`
  const mustFailOn = detail.evidence.slice(0, RECORDS_MAX).map(({ recordId }) => recordId)
  return {
    eval_id: opaqueId('eval_', painId, ...mustFailOn),
    input: {
      record_id: first.recordId,
      trace_id: first.traceId,
      session_id: first.sessionId,
      service: facts.service,
      operation: facts.operation,
      attributes: detail.input,
    },
    assertions: [
      { kind: 'pain_absent', target, expected: `no record of ${painId}` },
      { kind: 'signal_absent', target, expected: `no ${facts.signal}` },
      ...(detail.errorType === null ? [] : [{ kind: 'error_type_absent', target, expected: `no ${detail.errorType}` }]),
    ],
    must_fail_on: mustFailOn,
    must_pass_on: detail.healthyRecordIds.length === 0 ? null : detail.healthyRecordIds.slice(0, RECORDS_MAX),
  }
}
