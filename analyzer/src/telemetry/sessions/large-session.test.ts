import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { answer } from '../answer.ts'
import { createTelemetryFixture } from '../telemetry.fixture.ts'
import { openTelemetry, type TelemetryConnection } from '../telemetry-file.ts'
import type { SessionView } from './answer-session.ts'

const SPANS = 5_000
const PAGE = 1_000
const ROUNDS = 7

let folder: string
let connection: TelemetryConnection
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'loopkit-large-session-'))
  const path = join(folder, 'telemetry.db')
  const telemetry = createTelemetryFixture(path)
  const drafts = Array.from({ length: SPANS }, (_, at) => ({
    trace: 'large',
    span: `span ${at}`,
    startMs: 1_000 + at,
    attributes: {
      'http.request.method': 'GET',
      'http.route': '/items/:id',
      'url.full': `https://shop.example/${at}`,
      note: 'x'.repeat(300),
    },
  }))
  for (let at = 0; at < SPANS; at += PAGE) telemetry.send(1, 1_000 + at, drafts.slice(at, at + PAGE))
  telemetry.close()
  connection = openTelemetry(path)!
})
afterAll(() => {
  connection.db.close()
  rmSync(folder, { recursive: true, force: true })
})

function show(view: SessionView) {
  const page = { budgetTokens: null, limit: PAGE, after: null, eventFromMs: null, eventToMs: null }
  const limits = { attributesShownMax: 128, attributeShownMaxBytes: 8_192 }
  return answer(connection, 'session', { projectNo: 1, projectId: 'large', off: [], id: 'large', view, limits, ...page })
}

function medianCpuMs(work: () => unknown): number {
  const taken = Array.from({ length: ROUNDS }, () => {
    const before = process.cpuUsage()
    work()
    const { user, system } = process.cpuUsage(before)
    return (user + system) / 1_000
  })
  return taken.sort((a, b) => a - b)[ROUNDS >> 1]!
}

test('a page of a large trace is decoded without the rest of it', () => {
  const page = show('skeleton')!
  expect([page.records, JSON.parse(page.itemsJson).length, page.next === null]).toEqual([SPANS, PAGE, false])
  const skeleton = medianCpuMs(() => show('skeleton'))
  // Which records fail is known only when all of them are decoded.
  const everything = medianCpuMs(() => show('errors'))
  expect(skeleton / everything).toBeLessThan(0.75)
})

test('a rehearsal reads nothing that is stored, and leaves reading as it was', () => {
  const before = show('skeleton')
  expect(answer(connection, 'rehearsal', null)).toBeNull()
  expect(show('skeleton')).toEqual(before)
})
