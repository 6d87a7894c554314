import type { ChangeLedger } from '../../domain/change-ledger.ts'
import { diagnosisAnswer } from '../../domain/packet/build-packet.ts'
import type { PainView } from '../../domain/pain-view.ts'
import { windowOfLast } from '../../domain/window.ts'
import { type Route, route } from '../../http/contract.ts'
import { rawJson } from '../../http/reply.ts'
import type { Caller } from '../../http/request-facts.ts'
import type { DiagnosisRules } from '../../telemetry/pains/diagnosis-rules.ts'
import type { SeenPain } from '../../telemetry/questions.ts'
import type { AskTelemetry } from '../../telemetry/read-pool.ts'
import { diagnose } from './diagnose.contract.ts'

export interface DiagnoseDeps {
  ask: AskTelemetry
  nowMs: () => number
  rules: DiagnosisRules
  /** Changes and the state of pains, as the control database has them. */
  readLedger(caller: Pick<Caller, 'projectNo' | 'projectId'>): Promise<ChangeLedger>
  rememberPains(projectNo: number, seen: readonly SeenPain[]): void
  readPainView(projectNo: number): PainView
  storePacket(packet: {
    packetId: string
    projectNo: number
    createdAtMs: number
    sinceMinutes: number
    fromMinute: number
    toMinute: number
    status: string
    telemetryRead: number
    failures: number
    body: string
  }): string
}

export interface DiagnoseRequest {
  since_minutes?: number
  budget_tokens?: number
  service?: string
}

/** Pains that one packet shows in full. */
const ISSUES_MAX = 50

/** One diagnosis: read the window, keep the packet, answer the bytes that are kept. */
export function createDiagnose(deps: DiagnoseDeps): (caller: Caller, request: DiagnoseRequest) => Promise<string> {
  const { ask, nowMs, rules, readLedger, rememberPains, storePacket } = deps
  return async ({ projectNo, projectId, tenantId }, request) => {
    const {
      since_minutes: sinceMinutes = rules.sinceMinutesDefault,
      budget_tokens: budgetTokens = null,
      service = null,
    } = request
    const ledger = await readLedger({ projectNo, projectId })
    const now = nowMs()
    const window = windowOfLast(sinceMinutes, now)
    const answer = await ask('diagnosis', {
      ...rules,
      ...{ projectNo, projectId, tenantId, window, service, sinceMinutes, budgetTokens, ledger },
      painsSkip: 0,
      painsMax: ISSUES_MAX,
      events: null,
      only: null,
      view: deps.readPainView(projectNo),
      withMuted: false,
      nowMs: now,
    })
    const { packetId, packetJson: body, status, createdAtMs, telemetryRead, failures, seen } = answer
    rememberPains(projectNo, seen)
    return storePacket({ packetId, projectNo, createdAtMs, sinceMinutes, ...window, status, telemetryRead, failures, body })
  }
}

export function createDiagnoseCapability(deps: DiagnoseDeps): { routes: Route[] } {
  const run = createDiagnose(deps)
  return { routes: [route(diagnose, async ({ caller, body }) => rawJson(diagnosisAnswer(await run(caller, body))))] }
}
