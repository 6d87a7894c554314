import type { StoredSpan } from '@loopkit/shared/database/telemetry/read-trace'
import { createRegroup, type ProjectRules } from '@loopkit/shared/signals/fingerprint-rules'
import { createJudgeMemory } from '@loopkit/shared/signals/judge-memory'
import { judgeTrace } from '@loopkit/shared/signals/judge-trace'
import type { JudgedTrace } from '@loopkit/shared/signals/model'
import type { SignalType } from '@loopkit/shared/signals/signal-type'
import type { CostOf } from '@loopkit/shared/span/price-call'
import { toTraceSpan } from './judge-span.ts'
import type { TelemetryConnection } from './telemetry-file.ts'

export interface Judgement {
  projectId: string
  off: ReadonlySet<SignalType>
  /** Nothing will come any more, so that a span without an end never has one. */
  isOver: boolean
  withHints?: boolean
  /** The project's own; without them failures go by the scheme alone. */
  rules?: ProjectRules
}

/** Judges all that is stored of one trace by the rules that decide it. */
export function judgeWhole(
  { thresholds, costOf }: Pick<TelemetryConnection, 'thresholds'> & { costOf?: CostOf },
  { projectId, rules, ...judgement }: Judgement,
  stored: readonly StoredSpan[],
): JudgedTrace {
  const records = stored.map(({ ctx }) => toTraceSpan(ctx, judgement.off))
  const regroup =
    rules &&
    createRegroup(
      projectId,
      rules,
      stored.map(({ ctx }) => ctx),
    )
  return judgeTrace(projectId, records, createJudgeMemory(projectId), { thresholds, costOf, ...judgement, regroup })
}
