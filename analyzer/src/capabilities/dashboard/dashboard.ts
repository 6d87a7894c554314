import { msToIso } from '@loopkit/shared/span/nanoseconds'
import { artifactsOf, buildDashboard, type Dashboard, type LastRun, type VerdictRow } from '../../domain/dashboard/dashboard.ts'
import type { DiagnosisPacket, Issue } from '../../domain/packet/model.ts'
import { type MinuteWindow, showWindow, windowOfLast } from '../../domain/window.ts'
import type { Caller } from '../../http/request-facts.ts'
import type { AskTelemetry } from '../../telemetry/read-pool.ts'

/** A verdict as it is stored: its answer is `body`. */
interface StoredVerdict {
  changeId: string
  painId: string
  atMs: number
  verdict: string
  body: string
}

interface PacketRun {
  packetId: string
  status: string
  createdAtMs: number
  sinceMinutes: number
  telemetryRead: number
  failures: number
}

type Owner = Pick<Caller, 'projectNo' | 'projectId'>

export interface DashboardDeps {
  ask: AskTelemetry
  nowMs: () => number
  rules: { sinceMinutesDefault: number }
  readIssues(
    owner: Owner,
    request: { window: MinuteWindow; sinceMinutes: number; service: null; painsSkip: number; painsMax: number },
  ): Promise<{ issues: Issue[]; painsTotal: number; telemetryRead: number; failures: number }>
  /** Verdicts that said something, the newest first. */
  readVerdicts(projectNo: number): StoredVerdict[]
  findPain(projectNo: number, painId: string): { title: string } | null
  lastPacket(projectNo: number): PacketRun | null
  findPacket(projectNo: number, packetId: string): string | null
}

/** Pains that a dashboard looks at. */
const PAINS_MAX = 20

export interface DashboardReading {
  dashboard: Dashboard
  /** The same as Markdown. */
  markdown: string
  /** Its open pains with all that was read of them. */
  issues: Issue[]
}

/** Everything the dashboard, the report and the page show, read once. */
export type ReadDashboard = (owner: Owner) => Promise<DashboardReading>

export function createReadDashboard(deps: DashboardDeps): ReadDashboard {
  const { ask, nowMs, rules, readIssues, lastPacket, findPacket } = deps
  return async (owner) => {
    const sinceMinutes = rules.sinceMinutesDefault
    const window = windowOfLast(sinceMinutes, nowMs())
    const reading = await readIssues(owner, { window, sinceMinutes, service: null, painsSkip: 0, painsMax: PAINS_MAX })
    const run = lastPacket(owner.projectNo)
    const facts = { projectId: owner.projectId, window: showWindow(window), sinceMinutes, lastRun: run && toLastRun(run) }
    const source = buildDashboard({ ...reading, ...facts, verdicts: latestVerdicts(deps, owner.projectNo) })
    const { markdown, digest } = await ask('report', source)
    const body = run && findPacket(owner.projectNo, run.packetId)
    const packet = body === null ? null : (JSON.parse(body) as DiagnosisPacket)
    return { dashboard: { ...source, artifacts: artifactsOf(packet, digest) }, markdown, issues: reading.issues }
  }
}

function toLastRun({ packetId, status, createdAtMs, sinceMinutes, telemetryRead, failures }: PacketRun): LastRun {
  return {
    packet_id: packetId,
    status,
    created_at: msToIso(createdAtMs),
    since_minutes: sinceMinutes,
    telemetry_read: telemetryRead,
    failures,
  }
}

/** Of each change and pain the latest word counts. */
function latestVerdicts({ readVerdicts, findPain }: DashboardDeps, projectNo: number): VerdictRow[] {
  const seen = new Set<string>()
  const latest = readVerdicts(projectNo).filter(({ changeId, painId }) => {
    const key = `${changeId} ${painId}`
    return !seen.has(key) && seen.add(key)
  })
  return latest.map(({ changeId, painId, atMs, verdict, body }) => {
    const said = JSON.parse(body) as Pick<VerdictRow, 'before' | 'after' | 'change_percent'>
    return {
      pain_id: painId === '' ? null : painId,
      title: painId === '' ? null : (findPain(projectNo, painId)?.title ?? null),
      change_id: changeId,
      verdict,
      before: said.before,
      after: said.after,
      change_percent: said.change_percent,
      at: msToIso(atMs),
    }
  })
}
