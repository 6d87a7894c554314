import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { readCommitMark } from '@loopkit/shared/database/guard/commit-mark'
import { openDatabase } from '@loopkit/shared/database/open'
import { callApi, sendOtlp, until } from '../harness/http.ts'
import { spanJson, traceRequest } from '../harness/otlp-json.ts'
import { projectRoot, type ServiceProcess, startService } from '../harness/service-process.ts'
import { contentOf, DAMAGE_CASES, type DamageCase } from './damage-cases.ts'
import type { FaultRig } from './fault-rig.ts'
import { withFaultRig } from './with-fault-rig.ts'

export interface DamageSeen {
  name: string
  expected: string
  /** null: it runs. */
  exitCode: number | null
  /** Why it refused, or what it says is gone; empty where it says nothing. */
  says: string
  /** Commits (or changes) that are really gone. */
  gone: number
  isKept: boolean
}

const START_MAX_MS = 15_000
const LOAD_MS = 1_500
const KILLS_MAX = 5
const SETTINGS = {
  LOOPKIT_OTLP_HTTP_PORT: '0',
  LOOPKIT_OTLP_GRPC_PORT: '0',
  LOOPKIT_ANALYZER_PORT: '0',
  LOOPKIT_SELF_TELEMETRY: 'false',
}

/** Kills an instance under load, damages its files in each way, and starts its service on them. */
export function runDamagedFiles(isWanted: (name: string) => boolean = () => true): Promise<DamageSeen[]> {
  return withFaultRig(async (rig, dataDir) => {
    await killUnderLoad(rig, dataDir)
    const sound = `${dataDir}-sound`
    cpSync(dataDir, sound, { recursive: true })
    try {
      const seen: DamageSeen[] = []
      for (const damage of DAMAGE_CASES.filter(({ name }) => isWanted(name))) {
        for (const name of readdirSync(dataDir)) rmSync(join(dataDir, name), { recursive: true })
        cpSync(sound, dataDir, { recursive: true })
        seen.push(await tryDamage(damage, dataDir, rig.keys.producer_key))
      }
      return seen
    } finally {
      rmSync(sound, { recursive: true, force: true })
    }
  })
}

/**
 * Both while requests are under way, so that their last commits are in the logs alone. A kill while pages of the log are being
 * moved leaves a file that is nothing without its log; such a one is refused, which is not what is tried here: killed again.
 */
async function killUnderLoad(rig: FaultRig, dataDir: string): Promise<void> {
  for (let tries = 0; tries < KILLS_MAX; tries++) {
    if (tries > 0) await Promise.all([rig.startAnalyzer(), rig.startCollector()])
    const endLoad = rig.load(3)
    await new Promise((resolve) => setTimeout(resolve, LOAD_MS))
    await rig.killAnalyzer()
    await rig.collector().end('SIGKILL')
    endLoad().catch(() => {})
    if (isSoundAlone(join(dataDir, 'telemetry.db'))) return
  }
  throw new Error(`${KILLS_MAX} kills in a row struck while pages were moved`)
}

function isSoundAlone(path: string): boolean {
  const copy = `${path}.copy`
  cpSync(path, copy)
  try {
    const db = openDatabase(copy, { role: 'writer' })
    try {
      return db.pragma('integrity_check(1)', { simple: true }) === 'ok'
    } finally {
      db.close()
    }
  } catch {
    return false
  } finally {
    rmSync(copy)
  }
}

async function tryDamage(damage: DamageCase, dataDir: string, producerKey: string): Promise<DamageSeen> {
  const { name, database, expected } = damage
  const path = join(dataDir, database)
  const stored = readCommitMark(path)?.number ?? 0
  damage.apply(dataDir)
  const before = contentOf(path)
  const service = database === 'telemetry.db' ? 'collector' : 'analyzer'
  const running = await startService({ name: service, dataDir, env: SETTINGS }).catch(() => null)
  if (running === null) {
    const { exitCode, line } = await startAndFail(dataDir, service)
    const isLeft = before === contentOf(path)
    return {
      name,
      expected,
      exitCode,
      says: line,
      gone: 0,
      isKept: expected === 'refused' && exitCode === 74 && line !== '' && isLeft,
    }
  }
  try {
    const gone = Math.max(0, stored - (await lastCommit(dataDir, database)))
    const { status, text } = await callApi(`http://127.0.0.1:${running.port}/readyz`)
    const isTold = status === 503 && text.includes('data_loss_detected')
    const says = isTold ? (/[a-z]+s? \d+( to \d+)?/.exec(text.slice(text.indexOf('data_loss')))?.[0] ?? text) : ''
    const isHonest =
      isTold === gone > 0 && (!isTold || says.endsWith(`${stored}`)) && (await loggedLosses(running)) === (isTold ? 1 : 0)
    const isExpected = expected === 'honest' || expected === (isTold ? 'lost' : 'harmless')
    const works = service === 'analyzer' || (await takesSpans(running, producerKey))
    const isQuietAfter = !isTold || (await acknowledges(running, dataDir))
    return { name, expected, exitCode: null, says, gone, isKept: isHonest && isExpected && works && isQuietAfter }
  } finally {
    await running.end('SIGTERM')
  }
}

/** The pipe may be a little behind. */
async function loggedLosses(service: ServiceProcess): Promise<number> {
  await until('the line about the start', () => (service.output().includes('"code":"start.listening"') ? true : null))
  return service.output().split('"code":"data_loss_detected"').length - 1
}

/** At once, or after a 503 or two, as any exporter tries. */
async function takesSpans(collector: ServiceProcess, producerKey: string): Promise<boolean> {
  const spans = [spanJson({ traceId: 'c'.repeat(32), spanId: 'd'.repeat(16), name: 'after the damage', status: {} })]
  const status = await until('the collector to answer with other than 503', async () => {
    const answer = await sendOtlp(`http://127.0.0.1:${collector.port}`, producerKey, traceRequest('oracle', spans))
    return answer.status === 503 ? null : answer.status
  })
  return status === 200
}

/** A person takes note: ready without a restart, and the log says who. */
async function acknowledges(service: ServiceProcess, dataDir: string): Promise<boolean> {
  const { code } = await runCli(['doctor', '--acknowledge-loss', '--data-dir', dataDir])
  await until('the service to be ready, and to log who took note', async () => {
    const isReady = (await callApi(`http://127.0.0.1:${service.port}/readyz`)).status === 200
    return isReady && service.output().includes('"code":"data_loss.acknowledged"') ? true : null
  })
  return code === 0
}

/** As the doctor reads it: changes nothing. */
async function lastCommit(dataDir: string, database: string): Promise<number> {
  const { output } = await runCli(['doctor', '--json', '--data-dir', dataDir])
  const { databases } = JSON.parse(output) as { databases: { name: string; last_commit: number }[] }
  return databases.find(({ name }) => name === database)?.last_commit ?? 0
}

/** Runs one command of `loopkit`. */
export async function runCli(args: readonly string[]): Promise<{ code: number | null; output: string; errors: string }> {
  const child = spawn(process.execPath, [join(projectRoot, 'cli', 'src', 'main.ts'), ...args], { cwd: projectRoot })
  let [output, errors] = ['', '']
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString()
  })
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, output, errors }
}

/** Starts a service that is expected to refuse; the code is null where it had to be ended instead. */
export async function startAndFail(
  dataDir: string,
  service: 'collector' | 'analyzer' = 'collector',
): Promise<{ exitCode: number | null; line: string }> {
  const { PATH } = process.env
  const child = spawn(process.execPath, [join(projectRoot, service, 'src', 'main.ts')], {
    cwd: projectRoot,
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: START_MAX_MS,
    killSignal: 'SIGKILL',
    env: { PATH, LOOPKIT_DATA_DIR: dataDir, ...SETTINGS },
  })
  let printed = ''
  child.stderr.on('data', (chunk: Buffer) => {
    printed += chunk.toString()
  })
  const [exitCode] = (await once(child, 'close')) as [number | null]
  return { exitCode, line: printed.trim().split('\n')[0] ?? '' }
}
