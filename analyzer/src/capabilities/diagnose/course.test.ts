import { setImmediate } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Issue } from '../../domain/packet/model.ts'
import type { SpanDraft } from '../../telemetry/telemetry.fixture.ts'
import { startTelemetryProject, type TelemetryProject } from '../../telemetry/telemetry-project.fixture.ts'

let project: TelemetryProject
beforeAll(async () => {
  project = await startTelemetryProject()
})
afterAll(() => project.end())

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000

interface Owner {
  projectNo: number
  projectId: string
  key: string
}

/** Runs and failures of an hour that began so many hours ago. */
type Plan = (hoursAgo: number) => { runs: number; failures: number }

/** Arrives hour by hour, spread over the hour, and is decided at its end. */
async function live({ projectNo, projectId }: Owner, hours: number, plan: Plan): Promise<void> {
  const thisHour = Math.floor(project.analyzer.nowMs() / HOUR_MS) * HOUR_MS
  for (let hoursAgo = hours; hoursAgo >= 1; hoursAgo--) {
    const beginMs = thisHour - hoursAgo * HOUR_MS
    const { runs, failures } = plan(hoursAgo)
    const drafts = Array.from({ length: runs }, (_, i): SpanDraft => {
      const trace = `t${hoursAgo}-${i}`
      const startMs = beginMs + Math.floor((i * HOUR_MS) / runs)
      // Failures lie among the runs, not before them.
      const fails = Math.floor(((i + 1) * failures) / runs) > Math.floor((i * failures) / runs)
      return { trace, span: `${trace}-s`, name: 'settle', startMs, ...(fails ? { error: 'ledger locked' } : {}) }
    })
    project.telemetry.send(projectNo, beginMs + HOUR_MS - 1, drafts)
    project.telemetry.decide(projectNo, projectId, beginMs + HOUR_MS)
    // The analyzer in this process must not be kept from its connections.
    await setImmediate()
  }
}

async function firstIssue({ key }: Owner, sinceMinutes = 1440): Promise<Issue> {
  const { body } = await project.post<{ packet: { issues: Issue[] } }>('/v1/runs/diagnose', { since_minutes: sinceMinutes }, key)
  return body.packet.issues[0]!
}

/** Once a day, five hours ago the last time. */
const nightly: Plan = (hoursAgo) =>
  hoursAgo % 24 === 5 ? { runs: 20, failures: 8 } : { runs: 8, failures: hoursAgo % 4 === 0 ? 1 : 0 }

describe('the trend of a pain', () => {
  test('that a nightly batch makes every night is steady, told against earlier days', async () => {
    const owner = await project.provision('nightly')
    await live(owner, 5 * 24, nightly)
    const issue = await firstIssue(owner)
    expect(issue).toMatchObject({ trend: 'steady', trend_basis: 'same_hours_of_earlier_days' })
    expect(issue.why).toContain('the same hours of earlier days')
    const { body } = await project.get<{ issue: Issue }>(`/v1/pains/${issue.pain_id}`, owner.key)
    expect(body.issue.trend).toBe('steady')
  })

  test('of the same night without its earlier ones can only be told within the window', async () => {
    const owner = await project.provision('one night')
    await live(owner, 24, (hoursAgo) => (hoursAgo === 5 ? { runs: 20, failures: 20 } : nightly(hoursAgo)))
    expect(await firstIssue(owner)).toMatchObject({ trend: 'rising', trend_basis: 'halves_of_the_window' })
  })

  test('that a batch makes worse than on any night is rising', async () => {
    const owner = await project.provision('worse night')
    await live(owner, 5 * 24, (hoursAgo) =>
      hoursAgo === 5 ? { runs: 20, failures: 20 } : hoursAgo < 5 ? { runs: 8, failures: 4 } : nightly(hoursAgo),
    )
    expect(await firstIssue(owner)).toMatchObject({ trend: 'rising', trend_basis: 'same_hours_of_earlier_days' })
  })

  test('is read from hours that were folded and from minutes that are not yet, each once', async () => {
    const owner = await project.provision('folded')
    await live(owner, 5 * 24, nightly)
    const before = await firstIssue(owner)
    const { db } = project.telemetry
    const { projectNo } = owner
    const cut = Math.floor(project.analyzer.nowMs() / MINUTE_MS) - 3 * 24 * 60
    db.prepare(
      `insert into run_hour select project_no, event_minute / 60, operation_no, sum(runs) from run_count
       where project_no = ? and received_minute < ? group by 1, 2, 3`,
    ).run(projectNo, cut)
    db.prepare(
      `insert into failure_hour select project_no, event_minute / 60, fingerprint_no, sum(failures) from failure_count
       where project_no = ? and decided_minute < ? group by 1, 2, 3`,
    ).run(projectNo, cut)
    for (const counts of ['runs', 'failures']) db.prepare('insert into hour_folded values (?, ?, ?)').run(projectNo, counts, cut)
    expect(await firstIssue(owner)).toEqual(before)
  })
})

describe('what is new about a pain', () => {
  test('first seen after many runs without it', async () => {
    const owner = await project.provision('first')
    await live(owner, 60, (hoursAgo) => ({ runs: 20, failures: hoursAgo <= 3 ? 6 : 0 }))
    const issue = await firstIssue(owner)
    expect(issue).toMatchObject({ trend: 'new' })
    expect(issue.why).toContain('first seen in the hour')
    expect(issue.why).toContain('after 1140 runs of the operation without it')
  })

  test('back after days of quiet; first_seen is when it was first', async () => {
    const owner = await project.provision('back')
    await live(owner, 120, (hoursAgo) => ({ runs: 20, failures: hoursAgo > 110 || hoursAgo <= 3 ? 5 : 0 }))
    const issue = await firstIssue(owner)
    expect(issue.why).toContain('after 107 quiet hours and 2140 runs without it')
    const ago = (text: string) => (project.analyzer.nowMs() - Date.parse(text)) / HOUR_MS
    expect(ago(issue.first_seen)).toBeGreaterThan(119)
  })
})

describe('suspects', () => {
  const change = (owner: Owner, ref: string, hoursAgo: number) =>
    project.post(
      '/v1/changes',
      {
        kind: 'release',
        service: 'shop',
        ref,
        shipped_at: new Date(project.analyzer.nowMs() - hoursAgo * HOUR_MS).toISOString(),
      },
      owner.key,
    )

  test('of a pain that rose are those before its rise, by their distance to it', async () => {
    const owner = await project.provision('rise')
    const now = project.analyzer.nowMs()
    const sinceHour = (now % HOUR_MS) / HOUR_MS
    await live(owner, 6, (hoursAgo) => ({ runs: 80, failures: hoursAgo <= 3 ? 32 : 8 }))
    await change(owner, 'guilty', sinceHour + 3)
    await change(owner, 'long before', sinceHour + 5)
    await change(owner, 'later', sinceHour + 1)
    const { suspects } = await firstIssue(owner)
    expect(suspects!.map(({ ref }) => ref)).toEqual(['guilty', 'long before'])
    expect(suspects![0]!.distance_seconds).toBeLessThan(600)
    expect(suspects![0]!.why).toContain('before the failures became more frequent')
  })

  test('of a pain that came back are those before its return', async () => {
    const owner = await project.provision('return')
    const sinceHour = (project.analyzer.nowMs() % HOUR_MS) / HOUR_MS
    await live(owner, 80, (hoursAgo) => ({ runs: 20, failures: hoursAgo > 75 || hoursAgo <= 3 ? 4 : 0 }))
    await change(owner, 'guilty', sinceHour + 3.1)
    await change(owner, 'at first', sinceHour + 80.1)
    const { suspects } = await firstIssue(owner)
    expect(suspects!.map(({ ref }) => ref)).toEqual(['guilty', 'at first'])
    expect(suspects![0]!.distance_seconds).toBeLessThan(2000)
  })
})
