import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { createTraceIndex } from '@loopkit/shared/database/telemetry/trace-index'
import { NO_RULES } from '@loopkit/shared/signals/fingerprint-rules'
import { createJudgeFilter } from '@loopkit/shared/signals/judge-filter'
import { createStoredTelemetry, type StoredTelemetry } from '../retain/stored-telemetry.fixture.ts'
import { sweepFingerprints } from '../retain/sweep-rows.ts'
import { createDictionary } from '../write/dictionary.ts'
import { type DecidedFingerprint, describeDecision } from './describe-decision.ts'
import { createStoredJudge } from './judge-stored.ts'
import { createOpenRows } from './open-rows.ts'
import { createDecisionWriter } from './write-decision.ts'

const START_MS = 1_800_000_000_000
const key = (name: string) => new Uint8Array(Buffer.from(name.padEnd(16, '.')))

let stored: StoredTelemetry
let projectNo: number

beforeEach(() => {
  stored = createStoredTelemetry()
  stored.at(START_MS)
  projectNo = stored.project({ name: 'one' })
})
afterEach(() => stored.end())

/** One more trace that fails alike, decided under a scheme that gives these keys. */
function decideUnder(scheme: Pick<DecidedFingerprint, 'key' | 'previousKey'>, trace: number): void {
  stored.send(projectNo, { trace, span: 1, isFailing: true })
  const { db } = stored.store
  const judge = createStoredJudge({
    ...{ db, hasher: stored.reader.hasher, index: createTraceIndex(db), filter: createJudgeFilter() },
    ...{ signalsOff: new Set(), isOver: () => false, traceSpansMax: 10 },
  })
  const judgings = judge({ projectNo, projectId: 'proj_1', rules: NO_RULES }, createOpenRows(db).quiet(START_MS, START_MS, 10))
  const decisions = judgings.map(describeDecision).map((decision) => ({
    ...decision,
    failures: decision.failures.map((failure) => ({ ...failure, fingerprint: { ...failure.fingerprint, ...scheme } })),
  }))
  stored.store.write(() => createDecisionWriter(db, createDictionary(db)).apply(decisions, START_MS))
}

const failuresByKey = () =>
  stored.db
    .prepare(
      "select replace(cast(fingerprint as text), '.', ''), count(*) from failure join fingerprint using (fingerprint_no) group by 1 order by 1",
    )
    .raw()
    .all()

test('failures under a new scheme count with the pain that they had, through any number of schemes', () => {
  decideUnder({ key: key('first'), previousKey: null }, 1)
  decideUnder({ key: key('second'), previousKey: key('first') }, 2)
  decideUnder({ key: key('second'), previousKey: key('first') }, 3)
  decideUnder({ key: key('third'), previousKey: key('second') }, 4)
  decideUnder({ key: key('other'), previousKey: key('unknown') }, 5)
  expect(failuresByKey()).toEqual([
    ['first', 4],
    ['other', 1],
  ])
})

test('two failures that a new scheme tells apart stay with the pain that they were', () => {
  decideUnder({ key: key('first'), previousKey: null }, 1)
  decideUnder({ key: key('this'), previousKey: key('first') }, 2)
  decideUnder({ key: key('that'), previousKey: key('first') }, 3)
  expect(failuresByKey()).toEqual([['first', 3]])
})

test('keys of a later scheme are forgotten with the row that they stand for', () => {
  decideUnder({ key: key('first'), previousKey: null }, 1)
  decideUnder({ key: key('second'), previousKey: key('first') }, 2)
  stored.store.db.exec('delete from decided_failure; delete from failure_count')
  Array.from(sweepFingerprints(stored.store, projectNo, START_MS + 1))
  expect(
    stored.db.prepare('select (select count(*) from fingerprint) + (select count(*) from fingerprint_alias)').pluck().get(),
  ).toBe(0)
})
