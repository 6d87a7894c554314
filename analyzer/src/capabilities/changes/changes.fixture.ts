import type { DiagnosisPacket } from '../../domain/packet/model.ts'
import type { SpanDraft } from '../../telemetry/telemetry.fixture.ts'
import type { TelemetryProject } from '../../telemetry/telemetry-project.fixture.ts'

export interface PlanJson {
  pain_id: string | null
  plan_digest: string
  minimum_runs: number | null
  window_hours: number | null
}
export interface ChangeJson {
  change_id: string
  service: string | null
  version: string | null
  source: string
  kind: string
  ref: string | null
  shipped_at: string
  pain_ids: string[]
  plans: PlanJson[]
}
export interface VerdictJson {
  verdict: string
  reason: string | null
  runs_needed: number | null
  before: { failures: number; runs: number; window: object | null }
  after: { failures: number; runs: number }
  ratio: { value: number | null; low: number | null; high: number | null }
  change_percent: number | null
  versions: string[]
  change_id: string | null
  pain_id: string | null
  plan: PlanJson | null
}
export interface Page<Item> {
  items: Item[]
  next_cursor: string | null
}

export const HOUR_MS = 3_600_000

export interface TrafficTerms {
  runs: number
  failures: number
  endMs: number
  release?: string
  /** Fields of the i-th run. */
  more?: (i: number, fails: boolean) => Partial<SpanDraft>
}

/** `failures` of `runs` of one operation, one trace each, both spread over the hour before `endMs`. */
export function traffic(name: string, { runs, failures, endMs, release, more }: TrafficTerms): SpanDraft[] {
  return Array.from({ length: runs }, (_, i) => {
    const fails = (i * failures) % runs < failures
    return {
      trace: `${name}-${i}`,
      span: `${name}-${i}-s`,
      name: 'charge',
      startMs: endMs - Math.floor((i * HOUR_MS) / runs) - 1000,
      ...(release !== undefined && { resource: { 'service.version': release } }),
      ...(fails && { error: 'card declined' }),
      ...more?.(i, fails),
    }
  })
}

/** Projects of their own, with what tests of verdicts do in them. */
export function createFresh(project: TelemetryProject) {
  return async (name: string) => {
    const owner = await project.provision(name)
    const { projectNo, projectId, key } = owner
    const now = project.analyzer.nowMs()
    const post = async <Body>(path: string, json: object) => (await project.post<Body>(path, json, key)).body
    return {
      now,
      key,
      projectNo,
      send: (drafts: SpanDraft[]) => project.telemetry.send(projectNo, project.analyzer.nowMs() - 1000, drafts),
      decide: () => project.telemetry.decide(projectNo, projectId, project.analyzer.nowMs()),
      decideByRules: () => project.decideByRules(owner),
      painId: async () => {
        const { packet } = await post<{ packet: DiagnosisPacket }>('/v1/runs/diagnose', { since_minutes: 43_200 })
        return packet.issues[0]!.pain_id
      },
      pains: async () =>
        (await project.get<Page<{ pain_id: string; title: string; count: number }>>('/v1/pains', key)).body.items,
      announce: (json: object) => post<ChangeJson>('/v1/changes', { kind: 'release', ...json }),
      verify: (json: object) => post<VerdictJson>('/v1/runs/verify', json),
      post,
    }
  }
}
