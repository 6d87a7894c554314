import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { checkRun } from '@loopkit/shared/eval-candidate/check-run'
import { runOfRecords } from '@loopkit/shared/eval-candidate/run-of-records'
import type { OtlpValue } from '@loopkit/shared/otlp/model'
import type { SpanRecord } from '@loopkit/shared/span/record'
import type { DiagnosisPacket, Issue } from '../../domain/packet/model.ts'
import type { SpanDraft } from '../../telemetry/telemetry.fixture.ts'
import { startTelemetryProject, type TelemetryProject } from '../../telemetry/telemetry-project.fixture.ts'

let project: TelemetryProject
beforeAll(async () => {
  project = await startTelemetryProject()
})
afterAll(() => project.end())

/** One run of an agent on a task, which cancels some orders and is scored. */
function agentRun(trace: string, { task, score, cancels }: { task: string; score: number; cancels: string[] }): SpanDraft[] {
  const step = (name: string, at: number, attributes: Record<string, OtlpValue>): SpanDraft => ({
    trace,
    span: `${trace}-${at}`,
    parent: `${trace}-0`,
    name,
    startMs: 1_781_856_000_000 + at,
    attributes,
  })
  const root = {
    'gen_ai.operation.name': 'invoke_agent',
    'gen_ai.agent.name': 'helper',
    'input.value': task,
    'gen_ai.evaluation.name': 'solved',
    'gen_ai.evaluation.score.value': score,
  }
  return [
    { trace, span: `${trace}-0`, name: 'invoke_agent helper', startMs: 1_781_856_000_000, durationMs: 100, attributes: root },
    ...cancels.map((id, at) =>
      step('execute_tool cancel_order', at + 1, {
        'gen_ai.operation.name': 'execute_tool',
        'gen_ai.tool.name': 'cancel_order',
        'gen_ai.tool.call.arguments': JSON.stringify({ id }),
        'gen_ai.tool.call.result': 'ok',
      }),
    ),
  ]
}

async function diagnoseRuns(name: string, runs: SpanDraft[][]) {
  const { projectNo, projectId, key } = await project.provision(name)
  const now = project.analyzer.nowMs()
  project.telemetry.send(projectNo, now - 5000, runs.flat())
  project.telemetry.decide(projectNo, projectId, now - 1000)
  const { body } = await project.post<{ packet: DiagnosisPacket }>('/v1/runs/diagnose', {}, key)
  const issue = body.packet.issues.find(({ signal_type }) => signal_type === 'negative_feedback') as Issue
  return { issue, candidate: issue.eval_candidate!, key }
}

const TASK = 'Cancel my order A please, and nothing else that I ever ordered'

test('a candidate of a bad outcome expects what a healthy run of the same request changed', async () => {
  const { issue, candidate, key } = await diagnoseRuns('twins', [
    agentRun('bad', { task: TASK, score: 0, cancels: ['A', 'B'] }),
    agentRun('good', { task: TASK, score: 1, cancels: ['A'] }),
    agentRun('other', { task: 'Cancel order C', score: 1, cancels: ['C'] }),
  ])
  expect(candidate).toMatchObject({ status: 'complete', missing: [], input: { request: TASK } })
  expect(candidate.assertions).toContainEqual({
    kind: 'final_writes_equal',
    target: 'tool_calls',
    expected: [[{ tool: 'cancel_order', arguments: { id: 'A' } }]],
  })
  expect(candidate.must_fail_on).toEqual(issue.evidence_ids)
  expect(candidate.must_pass_on).toHaveLength(1)
  const verdictOf = async (trace: string) => {
    const { body } = await project.get<{ items: SpanRecord[] }>(`/v1/sessions/${trace}`, key)
    return checkRun(candidate.assertions, runOfRecords(body.items)).verdict
  }
  expect([await verdictOf('bad'), await verdictOf('good'), await verdictOf('other')]).toEqual(['fail', 'pass', 'fail'])
})

test('of several bad outcomes it is drafted from one that has a healthy run of its request', async () => {
  const alone = [1, 2, 3, 4, 5].map((n) => agentRun(`alone ${n}`, { task: `Do thing ${n}`, score: 0, cancels: ['X'] }))
  const { issue, candidate } = await diagnoseRuns('several', [
    ...alone,
    agentRun('bad', { task: TASK, score: 0, cancels: ['B'] }),
    agentRun('good', { task: TASK, score: 1, cancels: ['A'] }),
  ])
  expect(candidate).toMatchObject({ status: 'complete', input: { trace_id: 'bad', attributes: { 'input.value': TASK } } })
  expect(candidate.must_fail_on[0]).toBe(candidate.input.record_id)
  expect(candidate.must_fail_on.toSorted()).toEqual(issue.evidence_ids.toSorted())
})

test('without a healthy run of the same request it is drafted all the same, and says that it is incomplete', async () => {
  const { issue, candidate } = await diagnoseRuns('no twins', [
    agentRun('bad', { task: TASK, score: 0, cancels: ['B'] }),
    agentRun('other', { task: 'Cancel order C', score: 1, cancels: ['C'] }),
  ])
  expect(candidate).toMatchObject({ status: 'incomplete', missing: ['passing_run_of_the_request'], must_pass_on: null })
  const expected = { outcome: 'something_changed', changes: 1 }
  expect(candidate.assertions).toContainEqual({ kind: 'outcome_differs', target: 'tool_calls', expected })
  expect(issue.unavailable['eval_candidate.must_pass_on']).toBe('no_healthy_run_found')
})

test('its frozen input is what the failing record was asked to do, in the program’s own words too; neither what came out nor who asked', async () => {
  const { projectNo, key } = await project.provision('frozen input')
  const attributes = {
    currency: 'JPY',
    'cart.items': 3n,
    'gen_ai.tool.call.arguments': '{"amount":12}',
    'gen_ai.tool.call.id': 'call_1',
    'error.type': 'RangeError',
    'user.id': 'ann',
    'output.value': 'nothing',
    'code.function.name': 'charge',
  }
  project.telemetry.send(projectNo, project.analyzer.nowMs() - 1000, [
    { trace: 'jpy', span: 'jpy-1', name: 'charge', error: 'no minor unit', attributes },
  ])
  const { body } = await project.post<{ packet: DiagnosisPacket }>('/v1/runs/diagnose', {}, key)
  expect(body.packet.issues[0]?.eval_candidate?.input.attributes).toEqual({
    currency: 'JPY',
    'cart.items': 3,
    'gen_ai.tool.call.arguments': '{"amount":12}',
  })
})
