import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base'
import type { DiagnosisPacket } from '../../domain/packet/model.ts'
import type { SpanDraft } from '../../telemetry/telemetry.fixture.ts'
import { startTelemetryProject, type TelemetryProject } from '../../telemetry/telemetry-project.fixture.ts'

let project: TelemetryProject
beforeAll(async () => {
  project = await startTelemetryProject()
})
afterAll(() => project.end())

const diagnose = async (key: string) =>
  (await project.post<{ packet: DiagnosisPacket }>('/v1/runs/diagnose', {}, key)).body.packet

const run = (trace: string, region: string, more: Partial<SpanDraft> = {}): SpanDraft => ({
  trace,
  span: `${trace}-s`,
  attributes: { region, request: trace, zone: `z${trace.length % 2}` },
  resource: { 'host.name': 'h1' },
  ...more,
})
const charges = (): SpanDraft[] => [
  ...Array.from({ length: 20 }, (_, i) => run(`f${i}`, i < 18 ? 'eu' : 'us', { error: 'card declined' })),
  ...Array.from({ length: 40 }, (_, i) => run(`h${i}`, i < 4 ? 'eu' : 'us')),
]

describe('contrasts of a diagnosis', () => {
  test.each([true, false])('name what failures share, with records of both sides (decided: %p)', async (isDecided) => {
    const { projectNo, projectId, key } = await project.provision(`shared ${isDecided}`)
    const now = project.analyzer.nowMs()
    project.telemetry.send(projectNo, now - 5000, charges())
    if (isDecided) project.telemetry.decide(projectNo, projectId, now - 1000)
    const [issue] = (await diagnose(key)).issues
    expect(issue!.unavailable).not.toHaveProperty('contrasts')
    const [first] = issue!.contrasts!
    expect(first).toMatchObject({ attributes: { region: 'eu' }, share_failing: 0.9, share_healthy: 0.1, lift: 9, n: 60 })
    expect([first!.examples.length, first!.counter_examples.length]).toEqual([5, 2])
    for (const [ids, code] of [
      [first!.examples, 2],
      [first!.counter_examples, 0],
    ] as const) {
      for (const id of ids) {
        const { body } = await project.get<{ items: object[] }>(`/v1/telemetry?record_id=${id}`, key)
        expect(body.items).toMatchObject([{ attributes: { region: 'eu' }, status: { code } }])
      }
    }
  })

  test('are the same whatever order and commits the records came in', async () => {
    const said = []
    for (const parts of [1, 7]) {
      const { projectNo, projectId, key } = await project.provision(`order ${parts}`)
      const now = project.analyzer.nowMs()
      const drafts = parts === 1 ? charges() : charges().reverse()
      for (let part = 0; part < parts; part++) {
        project.telemetry.send(
          projectNo,
          now - 5000,
          drafts.filter((_, i) => i % parts === part),
        )
      }
      project.telemetry.decide(projectNo, projectId, now - 1000)
      const [{ attributes, share_failing, share_healthy, p_adjusted }] = (await diagnose(key)).issues[0]!.contrasts! as [
        NonNullable<DiagnosisPacket['issues'][0]['contrasts']>[0],
      ]
      said.push({ attributes, share_failing, share_healthy, p_adjusted })
    }
    expect(said[1]).toEqual(said[0])
  })

  test('do not take for healthy what runs in a trace that failed this way', async () => {
    const { projectNo, projectId, key } = await project.provision('radius')
    const now = project.analyzer.nowMs()
    const again = Array.from({ length: 20 }, (_, i) => run(`f${i}`, 'eu', { span: `f${i}-again` }))
    project.telemetry.send(projectNo, now - 5000, [...charges(), ...again])
    project.telemetry.decide(projectNo, projectId, now - 1000)
    expect((await diagnose(key)).issues[0]!.contrasts![0]).toMatchObject({ share_healthy: 0.1, n: 60 })
  })

  test('look at other failures of the pain where those picked first lie too far apart', async () => {
    const { projectNo, projectId, key } = await project.provision('far apart')
    const now = project.analyzer.nowMs()
    const numbered = (i: number) => run(`n${i}`, i % 3 === 0 ? 'eu' : 'us', i % 3 === 0 ? { error: 'card declined' } : {})
    for (let part = 0; part < 40; part++) {
      project.telemetry.send(
        projectNo,
        now - 60_000 + part * 1000,
        Array.from({ length: 40 }, (_, i) => numbered(part * 40 + i)),
      )
    }
    project.telemetry.decide(projectNo, projectId, now - 1000)
    const [first] = (await diagnose(key)).issues[0]!.contrasts!
    expect(first).toMatchObject({ attributes: { region: 'eu' }, share_failing: 1, share_healthy: 0 })
    expect(first!.n).toBeGreaterThan(300)
  })

  test('are not said without healthy runs, nor where nothing explains', async () => {
    const { projectNo, key } = await project.provision('nothing to say')
    const drafts = Array.from({ length: 10 }, (_, i) => [
      run(`a${i}`, 'eu', { name: 'alone', error: 'down' }),
      run(`b${i}`, i % 2 ? 'eu' : 'us', { name: 'mixed', error: 'broken' }),
      run(`c${i}`, i % 2 ? 'eu' : 'us', { name: 'mixed' }),
    ])
    project.telemetry.send(projectNo, project.analyzer.nowMs() - 1000, drafts.flat())
    const { issues } = await diagnose(key)
    const said = issues.map(({ title, contrasts, unavailable }) => [title.includes('down'), contrasts, unavailable.contrasts])
    expect(said.sort()).toEqual([
      [false, [], 'unexplained'],
      [true, null, 'no_contrast_samples'],
    ])
  })

  test('are made of the ten heaviest pains; the others say so', async () => {
    const { projectNo, key } = await project.provision('ranked')
    const words = 'abcdefghijkl'.split('')
    const drafts = words.flatMap((word) =>
      Array.from({ length: 6 }, (_, i) => run(`${word}${i}`, 'eu', { name: `op ${word}`, error: `broken ${word}` })),
    )
    project.telemetry.send(projectNo, project.analyzer.nowMs() - 1000, drafts)
    const reasons = (await diagnose(key)).issues.map(({ unavailable }) => unavailable.contrasts)
    expect(reasons).toEqual([...Array(10).fill('no_contrast_samples'), 'not_ranked', 'not_ranked'])
  })

  test.each([700, 900, 1500, 3000])('keep a budget of %i tokens', async (budget) => {
    const { projectNo, key } = await project.provision(`budget ${budget}`)
    project.telemetry.send(projectNo, project.analyzer.nowMs() - 1000, charges())
    const { text, body } = await project.post<{ packet: DiagnosisPacket }>('/v1/runs/diagnose', { budget_tokens: budget }, key)
    expect(countTokens(text)).toBeLessThanOrEqual(budget)
    const { unavailable, contrasts } = body.packet.issues[0]!
    expect(contrasts !== null || unavailable.contrasts === 'budget_tokens').toBe(true)
  })
})
