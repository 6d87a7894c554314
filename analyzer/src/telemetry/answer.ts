import { answerLedger, answerReceipt } from './answer-ledger.ts'
import { answerMarkers } from './answer-markers.ts'
import { answerRecords } from './answer-records.ts'
import { answerRehearsal } from './answer-rehearsal.ts'
import { answerReleases } from './answer-releases.ts'
import { answerReport } from './answer-report.ts'
import { answerExposure, answerExposures } from './exposure/answer-exposure.ts'
import { answerDiagnosis, answerIssues } from './pains/answer-diagnosis.ts'
import { answerObserved } from './pains/answer-observed.ts'
import { answerPain } from './pains/answer-pain.ts'
import { answerRegrouping } from './pains/answer-regrouping.ts'
import { answerSplitParts } from './pains/answer-split-parts.ts'
import { answerScorecard } from './sessions/answer-scorecard.ts'
import { answerSession } from './sessions/answer-session.ts'
import { answerSessions } from './sessions/answer-sessions.ts'
import type { TelemetryConnection } from './telemetry-file.ts'

/** Every question that telemetry answers. Each is answered inside one read transaction. */
export const ANSWERS = {
  diagnosis: answerDiagnosis,
  issues: answerIssues,
  pain: answerPain,
  observed: answerObserved,
  regrouping: answerRegrouping,
  releases: answerReleases,
  markers: answerMarkers,
  exposure: answerExposure,
  exposures: answerExposures,
  records: answerRecords,
  session: answerSession,
  scorecard: answerScorecard,
  sessions: answerSessions,
  rehearsal: answerRehearsal,
  ledger: answerLedger,
  receipt: answerReceipt,
  report: answerReport,
  splitParts: answerSplitParts,
} as const

export type QuestionName = keyof typeof ANSWERS
export type QuestionOf<N extends QuestionName> = Parameters<(typeof ANSWERS)[N]>[1]
export type AnswerOf<N extends QuestionName> = ReturnType<(typeof ANSWERS)[N]>

/** Answers one question as of one moment. */
export function answer<N extends QuestionName>(connection: TelemetryConnection, name: N, question: QuestionOf<N>): AnswerOf<N> {
  const ask = ANSWERS[name] as (connection: TelemetryConnection, question: QuestionOf<N>) => AnswerOf<N>
  connection.segments.begin()
  return connection.db.transaction(() => ask(connection, question)).deferred()
}
