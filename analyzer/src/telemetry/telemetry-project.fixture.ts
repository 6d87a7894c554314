import { join } from 'node:path'
import { readProjectRules } from '@loopkit/shared/database/control/read-project-rules'
import { type AnswerBody, type CallAnswer, startTestAnalyzer, type TestAnalyzer } from '../start/analyzer.fixture.ts'
import { createTelemetryFixture, type SpanDraft, type TelemetryFixture } from './telemetry.fixture.ts'

/** A project of a running analyzer over a telemetry.db that the test writes. */
export interface TelemetryProject {
  analyzer: TestAnalyzer
  telemetry: TelemetryFixture
  projectNo: number
  projectId: string
  key: string
  /** Stores spans as if they had just arrived. */
  send(drafts: readonly SpanDraft[], agoMs?: number): void
  decide(agoMs?: number): void
  /** As the collector does where a project has rules of its own. */
  decideByRules(owner: { projectNo: number; projectId: string }): void
  get<Body = AnswerBody>(path: string, key?: string): Promise<CallAnswer<Body>>
  post<Body = AnswerBody>(path: string, json: unknown, key?: string): Promise<CallAnswer<Body>>
  /** Another project beside it, with its agent key. */
  provision(name: string): Promise<{ projectNo: number; projectId: string; key: string }>
  end(): Promise<void>
}

export async function startTelemetryProject(env: Record<string, string> = {}): Promise<TelemetryProject> {
  const analyzer = await startTestAnalyzer({ env })
  const telemetry = createTelemetryFixture(join(analyzer.dataDir, 'telemetry.db'))
  const provision = async (name: string) => {
    const { body } = await analyzer.call('POST', '/v1/provision', { json: { project_name: name } })
    const find = analyzer.control.sqlite.prepare('select project_no from project where project_id = ?').pluck()
    return { projectNo: find.get(body.project_id) as number, projectId: body.project_id, key: body.agent_key }
  }
  const { projectNo, projectId, key } = await provision('reads')
  return {
    analyzer,
    telemetry,
    projectNo,
    projectId,
    key,
    send: (drafts, agoMs = 1000) => telemetry.send(projectNo, analyzer.nowMs() - agoMs, drafts),
    decide: (agoMs = 0) => telemetry.decide(projectNo, projectId, analyzer.nowMs() - agoMs),
    decideByRules: (owner) =>
      telemetry.decide(
        owner.projectNo,
        owner.projectId,
        analyzer.nowMs(),
        readProjectRules(analyzer.control.sqlite, owner.projectNo),
      ),
    get: (path, as = key) => analyzer.call('GET', path, { key: as }),
    post: (path, json, as = key) => analyzer.call('POST', path, { key: as, json }),
    provision,
    end: async () => {
      telemetry.close()
      await analyzer.end()
    },
  }
}
