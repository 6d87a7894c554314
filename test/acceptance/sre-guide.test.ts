import { execFile, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { callApi, sendOtlp, until } from '../harness/http.ts'
import { spanJson, traceRequest } from '../harness/otlp-json.ts'
import { projectRoot } from '../harness/service-process.ts'
import { type Product, type ProjectKeys, startProduct } from '../harness/start-product.ts'
import { readSourceTree } from '../tidy/source-tree.ts'
import { shellCommands } from './shell-commands.ts'

const run = promisify(execFile)
const MINUTE_MS = 60_000
const guide = readFileSync(join(projectRoot, 'docs/guides/sre.md'), 'utf8')
const hasJq = spawnSync('jq', ['--version']).status === 0

let product: Product
let keys: ProjectKeys
let folder = ''
let log = ''
/** A run that has seen what the guide speaks of: spans, spans of an unknown key, over the quota and without ids, a crash, a stop. */
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'loopkit-sre-'))
  product = await startProduct({
    env: { LOOPKIT_SUMMARY_MS: '300', LOOPKIT_LOG_LEVEL: 'debug', LOOPKIT_SANDBOX_QUOTA_SPANS: '3' },
  })
  keys = (await callApi(`${product.analyzerUrl}/v1/signup`, { json: { project_name: 'sre' } })).json<ProjectKeys>()
  const spans = [1, 2, 3, 4, 5].map((n) => spanJson({ traceId: 'ab'.repeat(16), spanId: `${n}`.repeat(16) }))
  await sendOtlp(product.otlpUrl, keys.producer_key, traceRequest('shop', spans))
  await sendOtlp(product.otlpUrl, keys.producer_key, traceRequest('shop', [{ ...spans[0]!, spanId: '' }]))
  await sendOtlp(product.otlpUrl, 'lk_ingest_nobody', traceRequest('shop', spans))
  await sendOtlp(product.otlpUrl, keys.producer_key, '{')
  await until('the lines', () => (product.output().includes('"reason":"malformed_json","count"') ? true : null))
  const before = product.output()
  await product.endCollector('SIGKILL')
  await product.restartCollector()
  log = join(folder, 'loopkit.log')
  writeFileSync(log, `${before}\n${product.output()}`)
}, MINUTE_MS)
afterAll(async () => {
  await product?.stop()
  rmSync(folder, { recursive: true, force: true })
})

/** Blocks whose lines this run cannot have: the disk was never full. */
const MAY_BE_SILENT = /disk\.full/

if (hasJq) {
  test.each(shellCommands(guide).map((command) => [command.split('\n')[0]!.slice(0, 60), command]))(
    '%s … answers',
    async (_, command) => {
      const script = command
        .replaceAll('tail -F', 'cat')
        .replaceAll('http://localhost:3000', product.analyzerUrl)
        .replaceAll('http://localhost:4318', product.otlpUrl)
        .replaceAll('trace_1', 'ab'.repeat(16))
      const env = { PATH: process.env.PATH, LOOPKIT_LOG: log, AGENT_KEY: keys.agent_key }
      const { stdout, stderr } = await run('bash', ['--norc', '-euo', 'pipefail', '-c', script], { env, timeout: MINUTE_MS })
      expect(stderr).toBe('')
      if (!MAY_BE_SILENT.test(command)) expect(stdout.trim()).not.toBe('')
    },
    MINUTE_MS,
  )
} else {
  test('the recipes of the guide are not run here: jq is not installed', () => expect(hasJq).toBe(false))
}

/** Answers of the recipes in the guide, by a word of theirs. */
async function answer(word: string): Promise<string> {
  const command = shellCommands(guide).find((block) => block.includes(word))!
  const env = { PATH: process.env.PATH, LOOPKIT_LOG: log }
  return (await run('bash', ['-c', command.replaceAll('tail -F', 'cat')], { env })).stdout
}

if (hasJq)
  test('the recipes find who was refused, why, and which trace to look at', async () => {
    const added = (await answer('sort_by(-.count)[]'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    const project = keys.project_id
    expect(added).toEqual(
      expect.arrayContaining([
        { code: 'ingest.rejected', project, reason: 'quota_exceeded', count: 2, trace_id: 'ab'.repeat(16) },
        { code: 'ingest.rejected', project, reason: 'span_id_empty', count: 1, trace_id: 'ab'.repeat(16) },
        { code: 'ingest.refused', project, reason: 'malformed_json', count: 1, trace_id: null },
        { code: 'ingest.refused', project: null, reason: 'invalid_api_key', count: 1, trace_id: null },
      ]),
    )
    expect(await answer('over the quota')).toContain(`${project} 2 spans over the quota`)
  })

test('no line of the log holds a key', () => {
  const text = readFileSync(log, 'utf8')
  for (const secret of [keys.producer_key, keys.agent_key, keys.recovery_code, 'lk_ingest_nobody'])
    expect(text).not.toContain(secret)
})

test('the guide explains every warning and error that the services write', () => {
  const codes = readSourceTree(projectRoot)
    .filter(({ path, isTest }) => !isTest && /^(collector|analyzer|cli|shared)\/src\//.test(path))
    .flatMap(({ text }) => [...text.matchAll(/\.(?:warn|error|fatal)\(\s*\{\s*code: '([^']+)'/g)].map(([, code]) => code!))
  expect(codes.length).toBeGreaterThan(20)
  expect(codes.filter((code) => !guide.includes(`\`${code}\``))).toEqual([])
})
