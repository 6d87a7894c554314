import { fromHex } from '@loopkit/shared/otlp/ids'
import { painIdOf } from '../../domain/opaque-id.ts'
import { fitPacket } from '../../domain/packet/fit-budget.ts'
import { issueOf } from '../../domain/packet/issue.ts'
import type { Issue } from '../../domain/packet/model.ts'
import type { PainReading } from '../../domain/pain-facts.ts'
import { showWindow } from '../../domain/window.ts'
import type { DiagnosisAnswer, DiagnosisQuestion, IssuesAnswer, IssuesQuestion, SeenPain } from '../questions.ts'
import type { TelemetryConnection } from '../telemetry-file.ts'
import { readPains } from './pain-readings.ts'

/** Reads a window and makes its packet, here and not on the main thread: counting tokens takes longer than reading. */
export function answerDiagnosis(connection: TelemetryConnection, question: DiagnosisQuestion): DiagnosisAnswer {
  const { nowMs, budgetTokens, tenantId, projectId, service, sinceMinutes, window } = question
  const reading = readPains(connection, question)
  const { issues, seen } = toIssues(reading.pains, question)
  const { telemetryRead, failures, repeated, omitted } = reading
  const shownWindow = showWindow(window)
  const content = {
    tenantId,
    projectId,
    service,
    sinceMinutes,
    window: shownWindow,
    telemetryRead,
    failures,
    repeated,
    issues,
    omitted,
  }
  const packet = fitPacket(content, budgetTokens, nowMs)
  return {
    packetId: packet.packet_id,
    packetJson: JSON.stringify(packet),
    status: packet.status,
    createdAtMs: nowMs,
    telemetryRead,
    failures,
    seen,
  }
}

export function answerIssues(connection: TelemetryConnection, question: IssuesQuestion): IssuesAnswer {
  const { pains, painsTotal, painsLeft, telemetryRead, failures } = readPains(connection, { ...question, isList: true })
  return { ...toIssues(pains, question), painsTotal, painsLeft, telemetryRead, failures }
}

function toIssues(pains: readonly PainReading[], question: IssuesQuestion): { issues: Issue[]; seen: SeenPain[] } {
  const { projectId, ledger, verifyRule, sinceMinutes } = question
  const named = pains.map((reading) => ({ reading, painId: painIdOf(projectId, fromHex(reading.facts.fingerprint)!) }))
  const verify = { ...verifyRule, windowMinutes: sinceMinutes }
  return {
    issues: named.map(({ reading, painId }) => issueOf(reading, { painId, ledger, verify })),
    seen: named.map(({ reading, painId }) => toSeen(reading, painId)),
  }
}

function toSeen({ facts, detail }: PainReading, painId: string): SeenPain {
  const { fingerprint, signal, service, operation, firstSeenMs, firstEventMs, lastEventMs } = facts
  return {
    painId,
    fingerprint,
    title: detail.title,
    signal,
    service,
    operation,
    firstSeenMs: Math.min(firstSeenMs, firstEventMs),
    lastSeenMs: lastEventMs,
  }
}
