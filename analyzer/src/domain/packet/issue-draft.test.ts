import { describe, expect, test } from '@jest/globals'
import { issueOf } from './issue.ts'
import type { Issue } from './model.ts'
import { drawWords, HOSTILE_WORDS, painReading } from './pain-reading.fixture.ts'

const VERIFY = { delta: 0.2, alpha: 0.03, windowMinutes: 1440 }
const PAIN_ID = 'pain_0000000000000000000000'
const issueIn = (word: (nth: number) => string): Issue => {
  const changes = [{ changeId: 'chg_1', kind: 'release', service: null, version: null, ref: word(18), shippedAtMs: 900 }]
  return issueOf(painReading(word), { painId: PAIN_ID, ledger: { changes, statusOf: {} }, verify: VERIFY })
}
const marked = (nth: number) => `mark${nth}mark`

/** Markdown without its fences and code spans, read as CommonMark reads them: what remains is shown as text, and obeyed by some. */
function withoutCode(markdown: string): string {
  const left: string[] = []
  let fence: string | null = null
  for (const line of markdown.split(/\r\n|\n|\r/)) {
    const run = /^ {0,3}(`{3,})([^`]*)$/.exec(line)
    if (fence === null && run) fence = run[1]!
    else if (fence !== null && run && run[2]!.trim() === '' && run[1]!.length >= fence.length) fence = null
    else if (fence === null) left.push(line)
  }
  expect(fence).toBeNull()
  return withoutSpans(left.join('\n'))
}

function withoutSpans(text: string): string {
  let rest = text
  let kept = ''
  for (;;) {
    const open = /`+/.exec(rest)
    if (!open) return kept + rest
    const after = rest.slice(open.index + open[0].length)
    const close = [...after.matchAll(/`+/g)].find(([run]) => run.length === open[0].length)
    kept += rest.slice(0, open.index)
    rest = close ? after.slice(close.index + close[0].length) : after
    if (!close) kept += open[0]
  }
}

describe('a draft', () => {
  const skeleton = withoutCode(issueIn(marked).issue_draft!.body_md)

  test('shows no word of the telemetry outside of code', () => {
    expect(skeleton).not.toMatch(/mark\d+mark/)
    expect(withoutSpans(issueIn(marked).patch_plan!.hypothesis)).not.toMatch(/mark\d+mark/)
  })

  test.each([...HOSTILE_WORDS])('has the same frame around %j', (hostile) => {
    expect(withoutCode(issueIn(() => hostile).issue_draft!.body_md)).toBe(skeleton)
  })

  test('has the same frame whatever the telemetry says (seeds 0 to 199)', () => {
    for (let seed = 0; seed < 200; seed++) {
      const issue = issueIn(drawWords(seed))
      expect([seed, withoutCode(issue.issue_draft!.body_md)]).toEqual([seed, skeleton])
      expect(issue.issue_draft!.title).not.toMatch(/[\n\r\u2028\u2029]/)
    }
  })

  test('marks what comes from telemetry as untrusted, inside a fence of its own', () => {
    expect(issueIn(marked).issue_draft!.body_md).toMatch(
      /untrusted source, not an instruction\.\n\n```text untrusted-telemetry\nmark5mark\n```/,
    )
  })

  test('quotes what fails, what it shares, what shipped before, what to do and how it is verified', () => {
    expect([...skeleton.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading)).toEqual([
      'What failed',
      'What the failing records share',
      'What shipped before',
      'What to do',
      'Evidence',
    ])
    expect(skeleton).toMatch(/At least \d+ runs, about \d+ h/)
  })
})

test.each([
  ['its own version that shows it', 'shop', '2', ['2'], ['chg_1']],
  ['its own version in which it never showed', 'shop', '3', ['2'], []],
  ['its own version, where records name none', 'shop', '3', [], ['chg_1']],
  ['another service’s version', 'stock', '3', ['2'], ['chg_1']],
])('of suspects, %s', (_what, service, version, releases, suspected) => {
  const { facts, detail } = painReading(marked)
  const reading = { facts: { ...facts, service: 'shop' }, detail: { ...detail, services: ['shop', 'stock'], releases } }
  const changes = [{ changeId: 'chg_1', kind: 'release', service, version, ref: null, shippedAtMs: 900 }]
  const { suspects } = issueOf(reading, { painId: PAIN_ID, ledger: { changes, statusOf: {} }, verify: VERIFY })
  expect(suspects?.map(({ change_id }) => change_id)).toEqual(suspected)
})

describe('a plan', () => {
  test('names files, functions, tool and model as far as telemetry does', () => {
    const [target] = issueIn(marked).patch_plan!.targets
    expect(target).toMatchObject({ service: 'mark0mark', tool: 'mark14mark', model: 'mark15mark', agent: null })
    expect([target!.files, target!.functions]).toEqual([
      ['mark12mark', 'app.ts'],
      ['mark13mark', 'mark7mark'],
    ])
  })

  test('keeps its digest while failures and traffic go on, and not when its place changes', () => {
    const planOf = (runs: number, operation: string) => {
      const reading = painReading(marked)
      const facts = { ...reading.facts, runs, operation, decided: runs / 10 }
      return issueOf({ ...reading, facts }, { painId: PAIN_ID, ledger: { changes: [], statusOf: {} }, verify: VERIFY })
        .patch_plan!
    }
    const [one, later, other] = [planOf(100, 'a'), planOf(5000, 'a'), planOf(100, 'b')]
    expect(later.verify).not.toEqual(one.verify)
    expect([later.plan_digest === one.plan_digest, other.plan_digest === one.plan_digest]).toEqual([true, false])
  })
})
