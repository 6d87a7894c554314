import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { createTraceIndex } from '@loopkit/shared/database/telemetry/trace-index'
import { createAttributeFilter } from '@loopkit/shared/otlp/decode-traces'
import { fromHex } from '@loopkit/shared/otlp/ids'
import { NO_RULES } from '@loopkit/shared/signals/fingerprint-rules'
import { createStoredTelemetry, type StoredTelemetry } from '../retain/stored-telemetry.fixture.ts'
import { traceIdOf } from '../start/collector.fixture.ts'
import { createDictionary } from '../write/dictionary.ts'
import { describeDecision } from './describe-decision.ts'
import { createStoredJudge } from './judge-stored.ts'
import { createOpenRows } from './open-rows.ts'
import { createDecisionWriter } from './write-decision.ts'

const START_MS = 1_800_000_000_000

let stored: StoredTelemetry

beforeEach(() => {
  stored = createStoredTelemetry()
  stored.at(START_MS)
})
afterEach(() => stored.end())

test('a trace of more spans than are judged together is not blamed by a part of them: the ledger says so, its neighbours are judged', () => {
  const projectNo = stored.project({ name: 'one' })
  stored.send(projectNo, ...Array.from({ length: 11 }, (_, n) => ({ trace: 1, span: n + 1, isFailing: n === 0 })))
  stored.send(projectNo, ...Array.from({ length: 10 }, (_, n) => ({ trace: 2, span: n + 1, isFailing: n === 0 })))
  const { hasher } = stored.reader
  const { db } = stored.store
  const filter = createAttributeFilter([], [])
  const index = createTraceIndex(db)
  const judge = createStoredJudge({ db, hasher, index, filter, signalsOff: new Set(), isOver: () => false, traceSpansMax: 10 })
  const judgings = judge({ projectNo, projectId: 'proj_1', rules: NO_RULES }, createOpenRows(db).quiet(START_MS, START_MS, 10))
  const decided = stored.store.write(() =>
    createDecisionWriter(db, createDictionary(db)).apply(judgings.map(describeDecision), START_MS),
  )
  expect(decided).toHaveLength(2)
  const hash = BigInt.asIntN(64, hasher(projectNo, fromHex(traceIdOf(2))!))
  expect(stored.db.prepare('select trace_hash from failure').safeIntegers().pluck().all()).toEqual([hash])
  const told = stored.db.prepare("select sum(count) from ledger where what = 'not_judged:trace_too_large'").pluck()
  expect(told.get()).toBe(1)
  expect(stored.trace(projectNo, 1)).toHaveLength(11)
})
