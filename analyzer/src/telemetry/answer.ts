import { answerDiagnosis, answerIssues } from './answer-diagnosis.ts'
import { answerExposure, answerExposures } from './answer-exposure.ts'
import { answerLedger, answerReceipt } from './answer-ledger.ts'
import { answerMarkers } from './answer-markers.ts'
import { answerObserved } from './answer-observed.ts'
import { answerPain } from './answer-pain.ts'
import { answerRecords } from './answer-records.ts'
import { answerRegrouping } from './answer-regrouping.ts'
import { answerRehearsal } from './answer-rehearsal.ts'
import { answerReleases } from './answer-releases.ts'
import { answerReport } from './answer-report.ts'
import { answerScorecard } from './answer-scorecard.ts'
import { answerSession } from './answer-session.ts'
import { answerSessions } from './answer-sessions.ts'
import { answerSplitParts } from './answer-split-parts.ts'
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
