import { describe, expect, test } from '@jest/globals'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base'
import { diagnosisAnswer } from './build-packet.ts'
import { fitPacket } from './fit-budget.ts'
import { issueOf } from './issue.ts'
import type { DiagnosisPacket, Issue } from './model.ts'
import { packetSchema } from './packet-schema.ts'
import { drawWords, painReading } from './pain-reading.fixture.ts'

const VERIFY = { delta: 0.2, alpha: 0.03, windowMinutes: 1440 }
const ledgerOf = (ref: string) => ({
  changes: [{ changeId: 'chg_1', kind: 'release', service: null, version: null, ref, shippedAtMs: 900 }],
  statusOf: {},
})
const issueIn = (word: (nth: number) => string, n: number): Issue =>
  issueOf(painReading(word), { painId: `pain_${String(n).padStart(22, '0')}`, ledger: ledgerOf(word(18)), verify: VERIFY })

const contentOf = (issues: Issue[], service: string | null = null) => ({
  ...{
    tenantId: 'sandbox',
    projectId: 'p'.repeat(60),
    service,
    sinceMinutes: 1440,
    telemetryRead: 1e9,
    failures: 1e6,
    repeated: true,
  },
  window: { from: '2026-11-20T16:31:00.000Z', to: '2026-11-21T16:31:00.000Z' },
  issues,
  omitted: [{ what: 'issues', count: 3, reason: 'muted', ids: ['pain_a', 'pain_b', 'pain_c'] }],
})
const tokensOf = (packet: DiagnosisPacket): number =>
  countTokens(diagnosisAnswer(JSON.stringify(packet)), { disallowedSpecial: new Set() })

const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(packetSchema)

describe('a budget', () => {
  test.each(Array.from({ length: 40 }, (_, seed) => seed))(
    'is kept whatever the pains say, however many they are, and the packet stays one (seed %i)',
    (seed) => {
      const pains = Array.from({ length: seed % 7 }, (_, n) => issueIn(drawWords(seed * 100 + n), n))
      const budget = 300 + Math.floor((((seed * 7919) % 1000) / 1000) ** 2 * 20_000)
      const content = contentOf(pains, drawWords(seed)(0).slice(0, 256) || null)
      const packet = fitPacket(content, budget, 0)
      expect(tokensOf(packet)).toBeLessThanOrEqual(budget)
      expect(validate(JSON.parse(JSON.stringify(packet))) || validate.errors).toBe(true)
      const dropped = packet.omitted.find(({ what, reason }) => what === 'issues' && reason === 'budget_tokens')?.count ?? 0
      const kept = content.issues.slice(0, pains.length - dropped)
      expect(packet.issues.map(({ pain_id }) => pain_id)).toEqual(kept.map(({ pain_id }) => pain_id))
      for (const issue of packet.issues) {
        expect(issue.evidence_ids.length).toBeGreaterThan(0)
        const nulls = Object.entries(issue).filter(([, value]) => value === null)
        expect(Object.keys(issue.unavailable)).toEqual(expect.arrayContaining(nulls.map(([name]) => name)))
      }
    },
  )

  const plain = Array.from({ length: 20 }, (_, n) => issueIn((nth) => `word ${n} ${nth}`, n))

  test.each([300, 700, 1500, 4000, 8000, 16_000, 60_000])(
    'of %i tokens tells more than any smaller one, and says what it leaves out',
    (budget) => {
      const packet = fitPacket(contentOf(plain), budget, 0)
      const smaller = fitPacket(contentOf(plain), Math.max(300, budget / 2), 0)
      expect(tokensOf(packet)).toBeGreaterThanOrEqual(tokensOf(smaller))
      const isWhole = packet.issues.length === plain.length && packet.issues.every(({ patch_plan }) => patch_plan !== null)
      const left = packet.omitted.filter(({ reason }) => reason === 'budget_tokens')
      expect(left.length > 0).toBe(!isWhole)
      if (budget >= 700) for (const { href } of left) expect(href).toMatch(/^\/v1\/pains/)
    },
  )

  test('names others beside the first pain before that one loses its plan', () => {
    const { issues } = fitPacket(contentOf(plain), 4000, 0)
    expect(issues.length).toBeGreaterThanOrEqual(5)
    expect(issues[0]!.patch_plan).not.toBeNull()
    expect(issues.at(-1)!.patch_plan).toBeNull()
  })

  test.each([1, 20])('names what shows the first of %i pains where no issue has room', (pains) => {
    const { issues, omitted } = fitPacket(contentOf(plain.slice(0, pains)), 300, 0)
    expect(issues).toEqual([])
    expect(omitted).toContainEqual(expect.objectContaining({ evidence_ids: plain[0]!.evidence_ids.slice(0, 1) }))
  })

  test('gives the same bytes for the same content', () => {
    expect(JSON.stringify(fitPacket(contentOf(plain), 3000, 5))).toBe(JSON.stringify(fitPacket(contentOf(plain), 3000, 5)))
  })
})
