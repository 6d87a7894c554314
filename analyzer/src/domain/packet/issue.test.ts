import { expect, test } from '@jest/globals'
import type { PainReading } from '../pain-facts.ts'
import { issueOf } from './issue.ts'
import { painReading } from './pain-reading.fixture.ts'

const issueIn = ({ facts, detail }: { facts?: Partial<PainReading['facts']>; detail?: Partial<PainReading['detail']> }) => {
  const reading = painReading((nth) => `word ${nth}`)
  return issueOf(
    { facts: { ...reading.facts, ...facts }, detail: { ...reading.detail, ...detail } },
    { painId: 'pain_1', ledger: { changes: [], statusOf: {} }, verify: { delta: 0.2, alpha: 0.03, windowMinutes: 1440 } },
  )
}

test.each<[what: string, given: Parameters<typeof issueIn>[0], fields: string[]]>([
  [
    'no run of the operation was counted',
    { facts: { runs: 0 } },
    ['patch_plan.verify.minimum_runs', 'patch_plan.verify.window_hours'],
  ],
  ['nobody is named', { detail: { users: null } }, ['blast_radius.users']],
  ['nothing shipped', {}, ['suspects']],
  [
    'there is too little to tell a trend',
    { facts: { earlier: { failures: 0, runs: 0 }, later: { failures: 1, runs: 1 } } },
    ['trend', 'trend_basis'],
  ],
  ['no healthy run is known', { detail: { healthyRecordIds: [] } }, ['eval_candidate.must_pass_on']],
])('what is null because %s has its reason', (_, given, fields) => {
  const issue = issueIn(given)
  for (const field of fields) {
    const value = field.split('.').reduce<unknown>((at, name) => (at as Record<string, unknown>)[name], issue)
    expect([field, value, issue.unavailable[field]]).toEqual([field, null, expect.any(String)])
  }
})
