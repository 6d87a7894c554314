import { embeddedChecks } from '@loopkit/shared/eval-candidate/embed-checks'
import type { EvalCandidate, ObservedRun } from '@loopkit/shared/eval-candidate/model'
import { ECHO_PROVIDER, type ExportFormat } from './export-formats.ts'

/** A candidate with the runs that it was frozen with, which lets it be tested where there is no LoopKit. */
export interface EvalCase {
  pain_id: string | null
  candidate: EvalCandidate
  examples: EvalExample[]
}

export interface EvalExample {
  record_id: string
  expect: 'fail' | 'pass'
  run: ObservedRun
}

/** `provider` is what promptfoo calls for a new run. */
export function exportCases(format: ExportFormat, cases: readonly EvalCase[], provider: string | null = null): string {
  if (format === 'jsonl') return cases.map((one) => `${JSON.stringify(one)}\n`).join('')
  return format === 'jest' ? toJest(cases) : toPromptfoo(cases, provider)
}

/**
 * A value as an expression of JavaScript. What came from telemetry is a string in it and stays one: nothing in it can end the string,
 * turn the text around, or begin a template of nunjucks, through which promptfoo puts all its texts.
 */
export function dataExpression(value: unknown): string {
  return `JSON.parse(${escaped(JSON.stringify(withoutTemplates(JSON.stringify(value))))})`
}

/** In compact JSON a brace is followed by another, by % or by #, and # by a brace, only inside a string. */
function withoutTemplates(json: string): string {
  return json.replace(/\{(?=[{%#])/g, '\\u007b').replace(/#(?=\})/g, '\\u0023')
}

function escaped(text: string): string {
  const unit = (code: number) => `\\u${code.toString(16).padStart(4, '0')}`
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (found) =>
    Array.from({ length: found.length }, (_, at) => unit(found.charCodeAt(at))).join(''),
  )
}

function toPromptfoo(cases: readonly EvalCase[], provider: string | null): string {
  const config = {
    description: `Made by \`loopkit eval --export promptfoo\` from failures that were seen. ${
      provider === null
        ? 'Tests the runs that it was frozen with; --provider makes one that tests new runs.'
        : 'The provider answers what the run wrote down.'
    }`,
    prompts: ['{{input}}'],
    // Nothing may pass that was not run: without a provider no test speaks of a new run.
    providers: [provider ?? ECHO_PROVIDER],
    tests: cases.map(({ pain_id, candidate, examples }) => ({
      description: `${plainId(candidate.eval_id)} (${candidate.status}): ${provider === null ? 'frozen runs' : 'new run'}`,
      vars: { input: inputText(candidate) },
      assert: [{ type: 'javascript', value: provider === null ? frozenCheck(candidate, examples) : newRunCheck(candidate) }],
      metadata: { eval_id: plainId(candidate.eval_id), ...(pain_id !== null && { pain_id: plainId(pain_id) }) },
    })),
  }
  return `${JSON.stringify(config, null, 2)}\n`
}

/** Promptfoo loads a variable that is the address of a file and fills in what looks like a template. */
const READ_BY_PROMPTFOO = /^\s*(?:[a-z]{2,20}:\/\/|package:)|\{[{%#]|#\}/i

/** The words that the run began with as they were, else all that is known of its input as JSON, which spells the same. */
function inputText({ input: { request, attributes } }: EvalCandidate): string {
  if (request !== null && !READ_BY_PROMPTFOO.test(request)) return request
  return withoutTemplates(JSON.stringify(request === null ? attributes : { request }))
}

function newRunCheck({ assertions }: EvalCandidate): string {
  return [
    embeddedChecks(),
    '',
    `const { verdict, assertions } = checkRun(${dataExpression(assertions)}, readRun(output))`,
    "const reason = assertions.map(({ kind, result, why }) => kind + ': ' + result + ', ' + why).join('; ')",
    "return { pass: verdict === 'pass', score: verdict === 'pass' ? 1 : 0, reason }",
  ].join('\n')
}

/** Whether it fails on its evidence and passes on its healthy runs. Without any run it tells nothing, which is no success. */
function frozenCheck({ assertions }: EvalCandidate, examples: readonly EvalExample[]): string {
  const frozen = examples.map(({ record_id, ...example }) => ({ record: plainId(record_id), ...example }))
  return [
    embeddedChecks(),
    '',
    `const assertions = ${dataExpression(assertions)}`,
    `const judged = ${dataExpression(frozen)}.map(({ run, ...one }) => ({ ...one, verdict: checkRun(assertions, run).verdict }))`,
    'const right = judged.filter((one) => one.verdict === one.expect)',
    "const reason = judged.map((one) => one.record + ' must ' + one.expect + ': ' + one.verdict).join('; ')",
    'const score = judged.length === 0 ? 0 : right.length / judged.length',
    'return { pass: score === 1, score, reason }',
  ].join('\n')
}

/** Ids are the product's own; of one that was changed in a file no more than its letters stay. */
const plainId = (id: string) => id.replace(/[^\w-]/g, '').slice(0, 100)

function toJest(cases: readonly EvalCase[]): string {
  return [JEST_HEAD, embeddedChecks(), `const cases = ${dataExpression(cases)}`, JEST_TESTS].join('\n\n')
}

const JEST_HEAD = `// Made by \`loopkit eval --export jest\`. Needs jest and nothing else. In this project:
//   npx jest                                      the candidates against the runs they were frozen with
//   LOOPKIT_RUN=run.json npx jest                 and against a new run: its output, its chat messages as JSON,
//                                                 or {"output": "...", "tool_calls": [{"name", "arguments", "failed"}]}
//   LOOPKIT_SUBJECT=./subject.cjs npx jest        and against your own code: a module that exports run(input) and answers the same`

const JEST_TESTS = `const plain = (id) => String(id).replace(/[^\\w-]/g, '').slice(0, 100)
const shown = ({ verdict, assertions }) => ({ verdict, assertions: assertions.filter(({ result }) => result !== 'pass') })
const { LOOPKIT_RUN: runFile, LOOPKIT_SUBJECT: subjectFile } = process.env

async function newRun(input) {
  if (runFile) return readRun(process.getBuiltinModule('node:fs').readFileSync(runFile, 'utf8'))
  const path = process.getBuiltinModule('node:path').resolve(subjectFile)
  const url = process.getBuiltinModule('node:url').pathToFileURL(path).href
  const subject = typeof require === 'function' ? require(path) : await import(url)
  return readRun(await (subject.run ?? subject.default.run)(input))
}

for (const { candidate, examples } of cases) {
  describe(plain(candidate.eval_id), () => {
    for (const { record_id: record, expect: expected, run } of examples) {
      test(\`\${expected === 'fail' ? 'fails' : 'passes'} on \${plain(record)}\`, () => {
        expect(shown(checkRun(candidate.assertions, run))).toMatchObject({ verdict: expected })
      })
    }

    const testNew = runFile || subjectFile ? test : test.skip
    testNew('passes on a new run (LOOPKIT_RUN or LOOPKIT_SUBJECT)', async () => {
      const run = await newRun(candidate.input)
      expect(shown(checkRun(candidate.assertions, run))).toMatchObject({ verdict: 'pass' })
    })
  })
}
`
