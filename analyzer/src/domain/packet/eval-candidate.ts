import { draftAssertions, isOfOutcome, statusOf } from '@loopkit/shared/eval-candidate/draft-assertions'
import type { EvalCandidate } from '@loopkit/shared/eval-candidate/model'
import { opaqueId } from '../opaque-id.ts'
import type { PainReading } from '../pain-facts.ts'

/** Most records that a candidate names on each side. */
const RECORDS_MAX = 10

/**
 * A test drafted from a failing record: what it was asked to do, what must hold of a run of it, and records it must fail and
 * pass on. Run by `loopkit eval`. null without evidence to draft from, and of runs that are too slow or too dear.
 */
export function evalCandidateOf({ facts, detail }: PainReading, painId: string): EvalCandidate | null {
  // Frozen input and deterministic assertions say nothing of how long a run takes next time, or what it costs.
  if (facts.outlier) return null
  const first = detail.evidence.find(({ recordId }) => recordId === detail.outcome?.recordId) ?? detail.evidence[0]
  if (!first) return null
  const others = detail.evidence.filter((record) => record !== first)
  const mustFailOn = [first, ...others].slice(0, RECORDS_MAX).map(({ recordId }) => recordId)
  const { assertions, missing } = draftAssertions({
    service: facts.service,
    operation: facts.operation,
    signal: facts.signal,
    places: facts.places ?? [facts],
    template: detail.template,
    failing: detail.outcome?.failing ?? null,
    passing: detail.outcome?.twins.map(({ run }) => run) ?? [],
  })
  // What a run should come to is known of runs of the same request only.
  const twins = isOfOutcome(facts.signal)
    ? (detail.outcome?.twins.map(({ recordId }) => recordId) ?? [])
    : detail.healthyRecordIds
  return {
    eval_id: opaqueId('eval_', painId, ...mustFailOn),
    status: statusOf(missing),
    missing,
    input: {
      record_id: first.recordId,
      trace_id: first.traceId,
      session_id: first.sessionId,
      ...(first.place ?? { service: facts.service, operation: facts.operation }),
      request: detail.outcome?.request ?? null,
      attributes: detail.outcome?.input ?? detail.input,
    },
    assertions,
    must_fail_on: mustFailOn,
    must_pass_on: twins.length === 0 ? null : twins.slice(0, RECORDS_MAX),
  }
}
