import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { NO_RULES } from '@loopkit/shared/signals/fingerprint-rules'
import { decodeRecordId } from '@loopkit/shared/span/record-id'
import { windowOfLast } from '../../domain/window.ts'
import { createTelemetryFixture, type SpanDraft, type TelemetryFixture } from '../telemetry.fixture.ts'
import { openEmptyTelemetry, openTelemetry, type TelemetryConnection, telemetryStateOf } from '../telemetry-file.ts'
import type { PainQuestion } from './pain-question.ts'
import { readPains } from './pain-readings.ts'

const NOW = Date.UTC(2026, 5, 20, 12, 0, 30)
const PROJECT = 7
const question: PainQuestion = {
  projectNo: PROJECT,
  projectId: 'p-1',
  window: windowOfLast(60, NOW),
  events: null,
  view: { rootOf: {}, muted: [], rules: NO_RULES },
  withMuted: false,
  service: null,
  off: [],
  only: null,
  painsSkip: 0,
  painsMax: 50,
  repeated: { recordsMin: 3, sessionsMin: 2 },
}

let folder: string
let fixture: TelemetryFixture
let connection: TelemetryConnection

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'loopkit-reads-'))
  fixture = createTelemetryFixture(join(folder, 'telemetry.db'))
  connection = openTelemetry(join(folder, 'telemetry.db'))!
})
afterEach(() => {
  connection.db.close()
  fixture.close()
  rmSync(folder, { recursive: true })
})

const failing = (trace: string, more: Partial<SpanDraft> = {}): SpanDraft => ({
  trace,
  span: `${trace}-s`,
  name: 'charge',
  error: 'card declined',
  ...more,
})
const healthy = (trace: string): SpanDraft => ({ trace, span: `${trace}-s`, name: 'charge' })

describe('one window', () => {
  test('leaves out pains below the threshold of their signal, and names how many', () => {
    fixture.send(PROJECT, NOW - 5000, [failing('a'), failing('b')])
    const asked = (shownMin: NonNullable<PainQuestion['repeated']['shownMin']>, only: string | null = null) =>
      readPains(connection, { ...question, only, repeated: { ...question.repeated, shownMin } })
    const [pain] = asked({ error_status: 2 }).pains
    expect(asked({ error_status: 2 }).omitted).toEqual([])
    expect(asked({ error_status: 3 })).toMatchObject({
      pains: [],
      omitted: [{ what: 'issues', count: 1, reason: 'below_signals_min' }],
    })
    expect(asked({ error_status: 3 }, pain!.facts.fingerprint).pains).toHaveLength(1)
  })

  test('counts a failure once, whether it is decided or not', () => {
    fixture.send(PROJECT, NOW - 5000, [failing('a'), failing('b'), healthy('c')])
    const before = readPains(connection, question)
    fixture.decide(PROJECT, 'p-1', NOW - 1000)
    const after = readPains(connection, question)
    for (const reading of [before, after]) {
      expect(reading).toMatchObject({ telemetryRead: 3, failures: 2, painsTotal: 1, repeated: true })
      expect(reading.pains[0]!.facts).toMatchObject({ traces: 2, sessions: 2, runs: 3, operation: 'charge', service: 'shop' })
    }
    expect(before.pains[0]!.facts).toMatchObject({ decided: 0, provisional: 2 })
    expect(after.pains[0]!.facts).toMatchObject({ decided: 2, provisional: 0 })
  })

  test('adds what is open under a new scheme of fingerprints to the pain that it had', () => {
    fixture.send(PROJECT, NOW - 5000, [failing('a'), failing('b')])
    fixture.decide(PROJECT, 'p-1', NOW - 2000)
    const [before] = readPains(connection, question).pains
    fixture.db.exec(`insert into fingerprint_alias select project_no, fingerprint, fingerprint_no from fingerprint;
      update fingerprint set fingerprint = x'00112233445566778899aabbccddeeff'`)
    fixture.send(PROJECT, NOW - 1000, [failing('c')])
    const { pains } = readPains(connection, question)
    expect(before!.facts.fingerprint).not.toBe(pains[0]!.facts.fingerprint)
    expect(pains.map(({ facts }) => [facts.fingerprint, facts.decided, facts.provisional])).toEqual([
      ['00112233445566778899aabbccddeeff', 2, 1],
    ])
  })

  test('counts a failure in the minute of its decision and records in the minute of their arrival', () => {
    fixture.send(PROJECT, NOW - 3_600_000, [failing('a')])
    fixture.decide(PROJECT, 'p-1', NOW - 1000)
    expect(readPains(connection, question)).toMatchObject({ telemetryRead: 0, failures: 1 })
  })

  test('adds what is still open to a pain that is decided, counting traces and sessions once', () => {
    fixture.send(PROJECT, NOW - 9000, [failing('a'), failing('b')])
    fixture.decide(PROJECT, 'p-1', NOW - 8000)
    fixture.send(PROJECT, NOW - 1000, [failing('a', { span: 'late' }), failing('c')])
    const [pain] = readPains(connection, question).pains
    expect(pain!.facts).toMatchObject({ decided: 2, provisional: 2, traces: 3, sessions: 3 })
  })

  test('counts a failure once while a late span is about to move its blame', () => {
    const root = { trace: 'a', span: 'root', name: 'checkout', kind: 2, service: 'web', error: 'card declined' }
    fixture.send(PROJECT, NOW - 9000, [root])
    fixture.decide(PROJECT, 'p-1', NOW - 8000)
    fixture.send(PROJECT, NOW - 1000, [failing('a', { parent: 'root' })])
    const reading = readPains(connection, question)
    expect(reading).toMatchObject({ failures: 1, painsTotal: 1 })
    expect(reading.pains[0]!.facts).toMatchObject({ decided: 1, provisional: 0, operation: 'checkout' })
  })

  test('gives records that can be found again, one of each trace first', () => {
    fixture.send(PROJECT, NOW - 5000, [failing('a'), failing('a', { span: 'a2' }), failing('b'), healthy('c')])
    fixture.decide(PROJECT, 'p-1', NOW - 1000)
    const [pain] = readPains(connection, question).pains
    expect(
      pain!.detail.evidence
        .slice(0, 2)
        .map(({ traceId }) => traceId)
        .sort(),
    ).toEqual(['a', 'b'])
    expect(pain!.detail.evidence).toHaveLength(3)
    for (const { recordId } of pain!.detail.evidence) expect(decodeRecordId(recordId)).not.toBeNull()
    expect(pain!.detail.healthyRecordIds).toHaveLength(1)
  })

  test('names the services and routes that the error passed through', () => {
    fixture.send(PROJECT, NOW - 5000, [
      {
        trace: 'a',
        span: 'root',
        name: 'GET /cart',
        kind: 2,
        service: 'web',
        error: 'card declined',
        attributes: { 'http.request.method': 'GET', 'http.route': '/cart' },
      },
      failing('a', { parent: 'root' }),
    ])
    const [pain] = readPains(connection, question).pains
    expect(pain!.detail).toMatchObject({ services: ['shop', 'web'], routes: ['GET /cart'] })
  })

  test('keeps projects and services apart', () => {
    fixture.send(PROJECT, NOW - 5000, [failing('a'), failing('b', { service: 'other' })])
    expect(readPains(connection, { ...question, service: 'other' })).toMatchObject({ telemetryRead: 1, failures: 1 })
    expect(readPains(connection, { ...question, projectNo: 8 })).toMatchObject({ telemetryRead: 0, failures: 0, pains: [] })
  })

  test('says how many pains and open traces it left out', () => {
    fixture.send(PROJECT, NOW - 5000, [failing('a'), failing('b', { name: 'refund' })])
    expect(readPains(connection, { ...question, painsMax: 1 }).omitted).toEqual([
      { what: 'issues', count: 1, reason: 'lower_rank', href: '/v1/pains' },
    ])
  })

  test('puts the pain with most records and traces first', () => {
    const many = Array.from({ length: 9 }, (_, i) => failing(`m${i}`, { name: 'many' }))
    const few = Array.from({ length: 4 }, (_, i) => failing(`f${i}`, { name: 'few' }))
    fixture.send(PROJECT, NOW - 5000, [...few, ...many])
    fixture.decide(PROJECT, 'p-1', NOW - 1000)
    expect(readPains(connection, question).pains.map(({ facts }) => facts.operation)).toEqual(['many', 'few'])
  })
})

describe('the file', () => {
  test('reads as empty before the collector made it', () => {
    const empty = openEmptyTelemetry()
    expect(readPains(empty, question)).toMatchObject({ telemetryRead: 0, pains: [], omitted: [] })
    expect(openTelemetry(join(folder, 'none.db'))).toBeNull()
    expect(telemetryStateOf(join(folder, 'none.db'))).toBe('absent')
    empty.db.close()
  })

  test('is refused when another version wrote it: it is not empty', () => {
    expect(telemetryStateOf(join(folder, 'telemetry.db'))).toBe('current')
    fixture.db.exec('delete from schema_migration where number = (select max(number) from schema_migration)')
    expect(telemetryStateOf(join(folder, 'telemetry.db'))).toBe('older')
    fixture.db.prepare("insert into schema_migration values (99, 'from the future')").run()
    expect(telemetryStateOf(join(folder, 'telemetry.db'))).toBe('newer')
  })
})

test('of a split pain with thousands of failures all are told apart', () => {
  for (const tenant of ['a', 'b', 'c']) {
    const drafts = Array.from({ length: 400 }, (_, i) => failing(`${tenant}${i}`, { attributes: { tenant } }))
    fixture.send(PROJECT, NOW - 5000, drafts)
    fixture.decide(PROJECT, 'p-1', NOW - 1000)
  }
  const { fingerprint } = readPains(connection, question).pains[0]!.facts
  const split = { ruleId: 'rule_1', fingerprint, attribute: 'tenant', createdAtMs: 0 }
  const view = { rootOf: {}, muted: [], rules: { rules: [], splits: { [fingerprint]: split } } }
  const { pains, failures, omitted } = readPains(connection, { ...question, view })
  expect(pains.map(({ facts }) => [facts.decided, facts.traces])).toEqual([
    [400, 400],
    [400, 400],
    [400, 400],
  ])
  expect(failures).toBe(1200)
  expect(omitted.filter(({ reason }) => reason === 'too_many_to_split')).toEqual([])
})
