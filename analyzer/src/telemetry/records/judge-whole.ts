import type { StoredSpan } from '@loopkit/shared/database/telemetry/read-trace'
import { createRegroup, type ProjectRules } from '@loopkit/shared/signals/fingerprint-rules'
import { createJudgeMemory, type JudgeMemory } from '@loopkit/shared/signals/judge-memory'
import { judgeTrace } from '@loopkit/shared/signals/judge-trace'
import type { JudgedTrace } from '@loopkit/shared/signals/model'
import type { SignalType } from '@loopkit/shared/signals/signal-type'
import type { CostOf } from '@loopkit/shared/span/price-call'
import type { TelemetryConnection } from '../telemetry-file.ts'
import { toTraceSpan } from './judge-span.ts'

export interface Judgement {
  projectId: string
  off: ReadonlySet<SignalType>
  /** Nothing will come any more, so that a span without an end never has one. */
  isOver: boolean
  withHints?: boolean
  /** The project's own; without them failures go by the scheme alone. */
  rules?: ProjectRules
  /** Of the same project; without it each trace has its own. */
  memory?: JudgeMemory
}

/** Judges all that is stored of one trace by the rules that decide it. */
export function judgeWhole(
  { thresholds, costOf }: Pick<TelemetryConnection, 'thresholds'> & { costOf?: CostOf },
  { projectId, rules, memory = createJudgeMemory(projectId), ...judgement }: Judgement,
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
  return judgeTrace(projectId, records, memory, { thresholds, costOf, ...judgement, regroup })
}
