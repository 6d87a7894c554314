import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { sendOtlp, until } from '../harness/http.ts'
import { attributes, type SpanJson, spanJson, traceRequest } from '../harness/otlp-json.ts'
import { type Page, readJson } from '../harness/reading.ts'
import { projectRoot } from '../harness/service-process.ts'
import { type Product, type ProjectKeys, startProduct } from '../harness/start-product.ts'

const MINUTE_MS = 60_000
const TASK = 'Cancel my order A, keep B'

let product: Product
let keys: ProjectKeys
let folder = ''
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'loopkit-eval-'))
  product = await startProduct({ env: { LOOPKIT_QUIET_MS: '300' } })
  keys = await product.provision('evals')
  const runs = [
    agentRun({ cancels: ['A', 'B'], score: 0 }),
    agentRun({ cancels: ['B'], score: 0 }),
    agentRun({ cancels: ['A'], score: 1 }),
    ...[1, 2, 3].map(() => charge('card declined by the issuer')),
    ...[1, 2].map(() => charge(null)),
  ]
  const answer = await sendOtlp(product.otlpUrl, keys.producer_key, traceRequest('shop', runs.flat()))
  expect(answer.status).toBe(200)
}, MINUTE_MS)
afterAll(async () => {
  await product?.stop()
  rmSync(folder, { recursive: true, force: true })
})

const hex = (bytes: number) => randomBytes(bytes).toString('hex')

/** An agent that cancels orders; a score says how it was. Without one nobody has judged the run yet. */
function agentRun({ cancels, score }: { cancels: string[]; score: number | null }): SpanJson[] {
  const [traceId, root] = [hex(16), hex(8)]
  const judged: Record<string, string | number> =
    score === null ? {} : { 'gen_ai.evaluation.name': 'solved', 'gen_ai.evaluation.score.value': score }
  const agent = { 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.name': 'helper', 'input.value': TASK, ...judged }
  return [
    spanJson({ traceId, spanId: root, name: 'invoke_agent helper', attributes: attributes(agent) }),
    ...cancels.map((id) => {
      const call = {
        'gen_ai.operation.name': 'execute_tool',
        'gen_ai.tool.name': 'cancel_order',
        'gen_ai.tool.call.arguments': JSON.stringify({ id }),
        'gen_ai.tool.call.result': 'ok',
      }
      return spanJson({
        traceId,
        spanId: hex(8),
        parentSpanId: root,
        name: 'execute_tool cancel_order',
        attributes: attributes(call),
      })
    }),
  ]
}

function charge(message: string | null): SpanJson[] {
  return [
    spanJson({ traceId: hex(16), spanId: hex(8), name: 'charge', ...(message !== null && { status: { code: 2, message } }) }),
  ]
}

interface Outcome {
  code: number
  out: string
  err: string
}

function loopkit(args: string[], input = ''): Promise<Outcome> {
  const env = { PATH: process.env.PATH, LOOPKIT_URL: product.analyzerUrl, LOOPKIT_KEY: keys.agent_key }
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [join(projectRoot, 'cli/bin/loopkit.mjs'), 'eval', ...args],
      { env, cwd: folder },
      (error, out, err) => resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    )
    child.stdin!.end(input)
  })
}

interface ListedPain {
  pain_id: string
  signal_type: string
  provisional: boolean
}

function painOf(signal: string): Promise<string> {
  return until(`a decided pain of ${signal}`, async () => {
    const { items } = await readJson<Page<ListedPain>>(`${product.analyzerUrl}/v1/pains`, keys.agent_key)
    return items.find(({ signal_type, provisional }) => signal_type === signal && !provisional)?.pain_id ?? null
  })
}

const write = (name: string, value: unknown) => {
  writeFileSync(join(folder, name), typeof value === 'string' ? value : JSON.stringify(value))
  return name
}

test(
  'a candidate fails on its stored evidence, passes on healthy records, and judges traces of new runs',
  async () => {
    const pain = await painOf('error_status')
    const stored = await loopkit([pain])
    expect(stored).toMatchObject({
      code: 0,
      out: expect.stringMatching(/3 of 3 fail, as they must[\s\S]*2 of 2 pass, as they must/),
    })
    const bad = write('bad.json', traceRequest('shop', charge('card declined by the issuer')))
    const good = write('good.json', traceRequest('shop', charge(null)))
    const silent = write('silent.json', traceRequest('shop', [spanJson({ traceId: hex(16), spanId: hex(8), name: 'refund' })]))
    const codes = await Promise.all([bad, good, silent].map((run) => loopkit([pain, '--run', run]).then(({ code }) => code)))
    expect(codes).toEqual([1, 0, 1])
    const said = await loopkit([pain, '--run', '-', '--json'], 'The card declined by the issuer, sorry')
    const { candidates } = JSON.parse(said.out)
    expect([said.code, candidates[0]]).toMatchObject([1, { is_as_expected: false, new_run: { run: '-', verdict: 'fail' } }])
  },
  MINUTE_MS,
)

test(
  'a candidate of a bad outcome judges new runs by what they changed, told as a trace or as messages',
  async () => {
    const pain = await painOf('negative_feedback')
    const asked = (id: string) => [
      { role: 'user', content: TASK },
      { role: 'assistant', tool_calls: [{ id: '1', function: { name: 'cancel_order', arguments: JSON.stringify({ id }) } }] },
      { role: 'tool', tool_call_id: '1', content: 'ok' },
    ]
    const runs = [
      write('trace-good.json', traceRequest('shop', agentRun({ cancels: ['A'], score: null }))),
      write('trace-bad.json', traceRequest('shop', agentRun({ cancels: ['A', 'B'], score: null }))),
      write('messages-good.json', asked('A')),
      write('messages-bad.json', asked('B')),
    ]
    const codes = await Promise.all(runs.map((run) => loopkit([pain, '--run', run]).then(({ code }) => code)))
    expect(codes).toEqual([0, 1, 0, 1])
    expect(await loopkit([pain, '--run', '-'], 'I have cancelled A.')).toMatchObject({ code: 4 })
  },
  MINUTE_MS,
)

test(
  'an export holds its runs, so that it is judged without the product',
  async () => {
    const written = await loopkit([await painOf('negative_feedback'), '--export', 'jsonl', '--out', 'candidates.jsonl'])
    expect(written).toMatchObject({ code: 0, err: expect.stringContaining('written: candidates.jsonl') })
    expect(readFileSync(join(folder, 'candidates.jsonl'), 'utf8').trim().split('\n')).toHaveLength(1)
    const offline = await loopkit(['--file', 'candidates.jsonl', '--url', 'http://127.0.0.1:1'])
    expect(offline).toMatchObject({ code: 0, out: expect.stringMatching(/2 of 2 fail[\s\S]*1 of 1 pass/) })
  },
  MINUTE_MS,
)

test.each<[what: string, args: string[], code: number]>([
  ['nothing named', [], 2],
  ['an unknown format', ['pain_x', '--export', 'csv'], 2],
  ['an unknown pain', ['pain_x'], 4],
  ['an analyzer that is not there', ['pain_x', '--url', 'http://127.0.0.1:1'], 3],
  ['a file that is not there', ['--file', 'nothing.json'], 66],
  ['a file without a candidate', ['--file', join(projectRoot, 'package.json')], 66],
])('%s ends with a code of its own', async (_what, args, code) => {
  expect(await loopkit(args)).toMatchObject({ code, err: expect.stringMatching(/^(loopkit|error): /) })
})
