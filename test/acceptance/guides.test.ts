import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { projectRoot } from '../harness/service-process.ts'
import { type Product, type ProjectKeys, startProduct } from '../harness/start-product.ts'
import { shellCommands } from './shell-commands.ts'

const run = promisify(execFile)
const MINUTE_MS = 60_000
const POLL_MS = 50

let product: Product
let keys: ProjectKeys
let folder = ''
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'loopkit-guides-'))
  product = await startProduct({ env: { LOOPKIT_SUMMARY_MS: '200' } })
  keys = await product.provision('guides')
}, MINUTE_MS)
afterAll(async () => {
  await product?.stop()
  rmSync(folder, { recursive: true, force: true })
})

test.each([['README.md'], ['docs/guides/agents.md'], ['docs/guides/operate.md']])(
  'every command of %s does what it says',
  async (path) => {
    const log = join(folder, 'loopkit.log')
    writeFileSync(log, await outputWithSummary())
    // The commands that start the product: this test's product, and the whole of this test run, stand for them.
    const commands = shellCommands(readFileSync(join(projectRoot, path), 'utf8')).filter(
      (block) => !/^npm (start|test)$/.test(block),
    )
    expect(commands.length).toBeGreaterThan(0)
    const script = commands
      .join('\n')
      .replaceAll('http://localhost:3000', product.analyzerUrl)
      .replaceAll('http://localhost:4318', product.otlpUrl)
    const env = {
      PATH: process.env.PATH,
      HOME: folder,
      TMPDIR: folder,
      LOOPKIT_URL: product.analyzerUrl,
      LOOPKIT_KEY: keys.agent_key,
      AGENT_KEY: keys.agent_key,
      PRODUCER_KEY: keys.producer_key,
      LOOPKIT_LOG: log,
      LOOPKIT_DATA_DIR: product.dataDir,
      BACKUPS: join(folder, path.replaceAll('/', '-')),
    }
    const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', script], { env, cwd: projectRoot, timeout: MINUTE_MS })
    expect(stdout).not.toMatch(/"status":\s*[45]\d\d\b/)
    expect(stdout.length).toBeGreaterThan(0)
  },
  MINUTE_MS,
)

async function outputWithSummary(): Promise<string> {
  const deadline = performance.now() + MINUTE_MS / 2
  while (!product.output().includes('"code":"ingest.summary"')) {
    if (performance.now() > deadline) throw new Error(`no summary line:\n${product.output()}`)
    await wait(POLL_MS)
  }
  return product.output()
}
