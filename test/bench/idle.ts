import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { callApi, until } from '../harness/http.ts'
import { projectRoot } from '../harness/service-process.ts'
import { readProcessTree } from './process-tree.ts'

/**
 * `node test/bench/idle.ts [--after 30] [--over 10] [--data <folder>]`: what the product holds and uses while nobody asks anything,
 * process by process, and how long after a kill the collector is ready again. With --data over a folder that is there already.
 */
const { values } = parseArgs({
  options: { after: { type: 'string', default: '30' }, over: { type: 'string', default: '10' }, data: { type: 'string' } },
})
const READY_MS = 60_000
/** What issue and guide promise of parent, collector and analyzer together. */
const SERVICES = /(cli|collector|analyzer)\/src\/main\.ts$/

const round = (value: number): number => Number(value.toFixed(1))

async function measure(dataDir: string): Promise<void> {
  const up = spawn(process.execPath, ['cli/bin/bootstrap.mjs', 'up'], {
    cwd: projectRoot,
    stdio: 'ignore',
    env: {
      ...process.env,
      LOOPKIT_DATA_DIR: dataDir,
      LOOPKIT_ANALYZER_PORT: '0',
      LOOPKIT_OTLP_HTTP_PORT: '0',
      LOOPKIT_OTLP_GRPC_PORT: '0',
    },
  })
  try {
    await readyCollector(dataDir, 0)
    await wait(Number(values.after) * 1000)
    await printUse(up.pid!)
    await printRestart(dataDir)
  } finally {
    const ended = new Promise((resolve) => up.once('exit', resolve))
    up.kill('SIGTERM')
    await ended
  }
}

async function printUse(root: number): Promise<void> {
  const before = new Map(readProcessTree(root).map(({ pid, cpuMs }) => [pid, cpuMs]))
  await wait(Number(values.over) * 1000)
  const rows = readProcessTree(root).map(({ pid, name, pssMb, anonymousMb, threads, cpuMs }) => ({
    process: name,
    pss_mb: round(pssMb),
    anonymous_mb: round(anonymousMb),
    threads,
    cpu_percent: round((cpuMs - (before.get(pid) ?? 0)) / 10 / Number(values.over)),
  }))
  for (const row of rows) console.log(JSON.stringify(row))
  const services = rows.filter(({ process: name }) => SERVICES.test(name))
  const sum = (of: (row: (typeof rows)[number]) => number) => round(services.reduce((total, row) => total + of(row), 0))
  const together = { pss_mb: sum((row) => row.pss_mb), cpu_percent: sum((row) => row.cpu_percent) }
  console.log(JSON.stringify({ process: 'parent, collector and analyzer together', ...together }))
}

async function printRestart(dataDir: string): Promise<void> {
  const pid = Number(readFileSync(join(dataDir, 'run', 'collector.pid'), 'utf8'))
  const killedMs = performance.now()
  process.kill(pid, 'SIGKILL')
  await readyCollector(dataDir, pid)
  console.log(JSON.stringify({ collector: 'killed', ready_after_ms: Math.round(performance.now() - killedMs) }))
}

/** Waits until a collector other than the one of `oldPid` is ready. */
async function readyCollector(dataDir: string, oldPid: number): Promise<void> {
  const runFile = (name: string) => readFileSync(join(dataDir, 'run', name), 'utf8')
  await until(
    'the collector to be ready',
    async () => {
      try {
        if (Number(runFile('collector.pid')) === oldPid) return null
        const { otlpHttpPort } = JSON.parse(runFile('collector.json')) as { otlpHttpPort: number }
        const answer = await callApi(`http://127.0.0.1:${otlpHttpPort}/readyz`)
        return answer.status === 200 ? true : null
      } catch {
        // Not started yet.
        return null
      }
    },
    READY_MS,
  )
}

const dataDir = values.data ?? mkdtempSync(join(tmpdir(), 'loopkit-idle-'))
try {
  await measure(dataDir)
} finally {
  if (values.data === undefined) rmSync(dataDir, { recursive: true, force: true })
}
