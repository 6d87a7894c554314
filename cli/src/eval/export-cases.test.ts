import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, describe, expect, test } from '@jest/globals'
import { checkRun } from '@loopkit/shared/eval-candidate/check-run'
import type { EvalAssertion, ObservedRun } from '@loopkit/shared/eval-candidate/model'
import { dataExpression, type EvalCase, exportCases } from './export-cases.ts'
import { readCases } from './read-cases.ts'

/** Everything that could end a string, a comment, a template, or turn text around. */
const HOSTILE = [
  '`$' + '{process.exit(7)}`',
  `'); process.exit(7); ('`,
  '"); process.exit(7); ("',
  '*/ process.exit(7) /*',
  '\\',
  '\\u0022); process.exit(7)',
  '\n// x\nprocess.exit(7)',
  '\u2028process.exit(7)',
  '</script>',
  '{{ env.SECRET }} {% include "x" %} {# x #}',
  'file:///etc/passwd',
  'package:evil:run',
  '\u202e\u{e0041}',
]
const target = 'shop: charge'
const run = (more: Partial<ObservedRun> = {}): ObservedRun => ({
  operations: [{ service: 'shop', operation: 'charge', signal: null, message: null }],
  isComplete: true,
  calls: [],
  output: null,
  ...more,
})

function caseOf(hostile: string, assertions: EvalAssertion[]): EvalCase {
  return {
    pain_id: `pain_${hostile}`,
    candidate: {
      eval_id: `eval_1${hostile}`,
      status: 'complete',
      missing: [],
      input: {
        record_id: 'rec_1',
        trace_id: 't',
        session_id: 's',
        service: 'shop',
        operation: 'charge',
        request: hostile,
        attributes: { [hostile]: hostile, ['__proto__']: { hostile } },
      },
      assertions,
      must_fail_on: ['rec_1'],
      must_pass_on: ['rec_2'],
    },
    examples: [
      {
        record_id: 'rec_1',
        expect: 'fail',
        run: run({ output: hostile, calls: [{ tool: 'cancel_it', arguments: { id: 1, hostile }, failed: false }] }),
      },
      { record_id: 'rec_2', expect: 'pass', run: run() },
    ],
  }
}

const cases = HOSTILE.map((hostile) =>
  caseOf(hostile, [
    { kind: 'signal_absent', target, expected: 'exception' },
    { kind: 'final_writes_equal', target: 'tool_calls', expected: [[]] },
    { kind: 'text_absent', target: 'output', expected: `declined ${hostile}` },
  ]),
)

test.each(HOSTILE)('%j is the same value in an expression', (hostile) => {
  const expression = dataExpression({ [hostile]: hostile })
  expect(new Function(`return ${expression}`)()).toEqual({ [hostile]: hostile })
  expect(expression).not.toMatch(/\{\{|\{%|\{#|#\}|[\p{Cc}\p{Cf}\u2028\u2029]/u)
})

test('JSON lines are read back as they were', () => {
  expect(readCases(exportCases('jsonl', cases))).toEqual(cases)
})

describe('promptfoo', () => {
  const provider = 'file://subject.cjs'
  const config = JSON.parse(exportCases('promptfoo', cases, provider))
  const frozen = JSON.parse(exportCases('promptfoo', cases))

  test('gets prompts, a provider, and a test with a JavaScript assertion for each candidate', () => {
    expect(config).toMatchObject({ prompts: ['{{input}}'], providers: [provider] })
    expect(config.tests).toHaveLength(cases.length)
    for (const { vars, assert } of [...config.tests, ...frozen.tests]) {
      expect(assert).toMatchObject([{ type: 'javascript' }])
      // Through nunjucks go variables and assertions alike; a variable that is an address is loaded.
      expect(`${vars.input}\n${assert[0].value}`).not.toMatch(/\{\{|\{%|\{#|#\}/)
      expect(vars.input).not.toMatch(/^\s*(?:file|package):/i)
    }
  })

  test.each<[output: string, passes: boolean]>([
    ['{"output":"done","tool_calls":[]}', true],
    ['{"output":"done","tool_calls":[{"name":"cancel_it","arguments":{"id":"a"}}]}', false],
    ['done', false],
  ])('judges %s: %p', (output, passes) => {
    for (const { assert } of config.tests) {
      const verdict = new Function('output', 'context', assert[0].value)(output, {})
      expect(verdict).toMatchObject({ pass: passes, score: passes ? 1 : 0, reason: expect.any(String) })
    }
  })
})

describe('promptfoo without a provider', () => {
  const judged = (changed: readonly EvalCase[]) =>
    JSON.parse(exportCases('promptfoo', changed)).tests.map(
      ({ assert }: { assert: [{ value: string }] }) => new Function('output', 'context', assert[0].value)('', {}).pass,
    )
  const asExpected = (one: EvalCase) =>
    one.examples.every(({ expect: wanted, run }) => checkRun(one.candidate.assertions, run).verdict === wanted)

  test('needs nothing but the file, and tests the runs that each candidate was frozen with', () => {
    expect(JSON.parse(exportCases('promptfoo', cases)).providers).toEqual(['echo'])
    expect(judged(cases)).toEqual(cases.map(asExpected))
    expect(judged(cases)).toContain(true)
  })

  test('fails where evidence passes, a healthy run fails, or there is none', () => {
    const turned = cases.map((one) => ({
      ...one,
      examples: one.examples.map((example) => ({
        ...example,
        expect: example.expect === 'fail' ? ('pass' as const) : ('fail' as const),
      })),
    }))
    expect(judged(turned)).not.toContain(true)
    expect(judged(cases.map((one) => ({ ...one, examples: [] })))).not.toContain(true)
  })
})

describe('an exported jest file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'loopkit-export-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text)

  /** In a project that has nothing of ours: jest's own start, from this installation. */
  function runJest(env: Record<string, string> = {}) {
    const jest = resolve('node_modules/jest/bin/jest.js')
    const { status, stderr } = spawnSync(
      process.execPath,
      [jest, '--rootDir', folder, '--json', '--outputFile', join(folder, 'out.json')],
      {
        cwd: folder,
        env: { PATH: process.env.PATH, HOME: folder, ...env },
        encoding: 'utf8',
      },
    )
    return { status, stderr }
  }

  const JEST_MS = 60_000
  test(
    'passes by itself, fails on a run that repeats the failure, passes on one that does not, from a file or from code',
    () => {
      write('package.json', '{"name":"plain"}')
      write('loopkit-eval.test.js', exportCases('jest', cases))
      write('bad.json', '{"output":"done","tool_calls":[{"name":"cancel_it","arguments":{"id":"x"}}]}')
      write('good.json', '{"output":"done","tool_calls":[]}')
      write('subject.cjs', 'exports.run = async (input) => ({ output: input.request, tool_calls: [] })')
      const alone = runJest()
      expect([alone.stderr, alone.status]).toEqual([
        expect.stringContaining(`${cases.length} skipped, ${2 * cases.length} passed`),
        0,
      ])
      expect(runJest({ LOOPKIT_RUN: 'bad.json' }).status).toBe(1)
      expect(runJest({ LOOPKIT_RUN: 'good.json' }).status).toBe(0)
      expect(runJest({ LOOPKIT_SUBJECT: './subject.cjs' }).status).toBe(0)
    },
    JEST_MS,
  )
})
