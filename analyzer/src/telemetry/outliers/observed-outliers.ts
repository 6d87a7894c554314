import { fromHex } from '@loopkit/shared/otlp/ids'
import { titleOf } from '@loopkit/shared/signals/title'
import { painIdOf } from '../../domain/opaque-id.ts'
import { rankPains } from '../../domain/weigh-pain.ts'
import { countRuns } from '../counts/window-counts.ts'
import type { ObservedPain } from '../pains/observed-pain.ts'
import type { RankedPain } from '../pains/pain-question.ts'
import { withoutSources } from '../pains/without-sources.ts'
import type { TelemetryConnection } from '../telemetry-file.ts'
import { type OutlierQuestion, outlierPains } from './outlier-pains.ts'

const EVIDENCE_MAX = 5

/** Pains of slow and dear runs as they stand: nobody claims them by decision, since no run of theirs was decided to be one. */
export function observedOutliers(connection: TelemetryConnection, question: OutlierQuestion): ObservedPain[] {
  const runs = countRuns(connection, question.projectNo, question.window)
  return rankPains(outlierPains(connection, question, runs)).map((pain) => toObserved(pain, question.projectId))
}

function toObserved(pain: RankedPain, projectId: string): ObservedPain {
  const { fingerprint, signal, service, operation, splitSteps: steps, firstSeenMs, lastEventMs, outlierRows = [] } = pain
  return {
    seen: {
      painId: painIdOf(projectId, fromHex(fingerprint)!),
      ...{ fingerprint, signal, service, operation },
      title: titleOf({ signal, operation, errorType: null, template: '', steps }),
      firstSeenMs,
      lastSeenMs: lastEventMs,
    },
    facts: withoutSources(pain),
    isFirst: true,
    evidenceIds: outlierRows.slice(0, EVIDENCE_MAX).map(({ recordId }) => recordId),
  }
}
