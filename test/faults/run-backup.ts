import { cpSync, existsSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { callApi } from '../harness/http.ts'
import { startService, waitUntilReady } from '../harness/service-process.ts'
import type { FaultRig, KeptPromise } from './fault-rig.ts'
import { runCli } from './run-damaged-files.ts'
import { withFaultRig } from './with-fault-rig.ts'

export interface BackupReport extends KeptPromise {
  backups: number
  backupMaxMs: number
  megabytes: number
  /** Spans acknowledged before a backup began that are not in it. */
  notInBackup: number
  /** Restored instances whose next start complained. */
  complaints: number
  /** Sets that were mixed, cut or altered, and were not refused. */
  wronglyTaken: string[]
  /** Answers to the load other than 200 and 503. */
  refusedMeanwhile: number
}

const LOAD_MS = 800
const SETTINGS = {
  LOOPKIT_OTLP_HTTP_PORT: '0',
  LOOPKIT_OTLP_GRPC_PORT: '0',
  LOOPKIT_ANALYZER_PORT: '0',
  LOOPKIT_SELF_TELEMETRY: 'false',
}

/** Backs up again and again under load, restores each set elsewhere, and asks there for what had been acknowledged before. */
export function runBackup({ backups }: { backups: number }): Promise<BackupReport> {
  return withFaultRig(async (rig, dataDir) => {
    const folder = mkdtempSync(join(tmpdir(), 'loopkit-sets-'))
    try {
      const endLoad = rig.load(2)
      const seen = { backups: 0, backupMaxMs: 0, megabytes: 0, notInBackup: 0, complaints: 0 }
      const sets: string[] = []
      for (let n = 0; n < backups; n++) {
        await new Promise((resolve) => setTimeout(resolve, LOAD_MS))
        const set = join(folder, n % 2 === 0 ? `set-${n}` : `set-${n}.tar`)
        const acknowledgedBefore = rig.acknowledged()
        const startedMs = performance.now()
        const { code, output, errors } = await runCli(['backup', set, '--json', '--data-dir', dataDir])
        if (code !== 0) throw new Error(`backup ended with ${code}: ${errors}`)
        seen.backupMaxMs = Math.max(seen.backupMaxMs, Math.round(performance.now() - startedMs))
        const { files } = JSON.parse(output) as { files: { bytes: number }[] }
        seen.megabytes = Math.round(files.reduce((sum, { bytes }) => sum + bytes, 0) / 1024 ** 2)
        seen.backups++
        sets.push(set)
        const restored = join(folder, `restored-${n}`)
        const { accepted, complains } = await restoreAndAsk(rig, set, restored)
        seen.notInBackup += Math.max(0, acknowledgedBefore - accepted)
        if (complains) seen.complaints++
      }
      await endLoad()
      const wronglyTaken = await offerWrongSets(sets, folder, dataDir)
      const refusedMeanwhile = rig.answers.filter(({ status }) => status !== 200 && status !== 503).length
      return { ...(await rig.check()), ...seen, wronglyTaken, refusedMeanwhile }
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
}

/** What the restored instance says was accepted, with the keys of the one that was backed up. */
async function restoreAndAsk(rig: FaultRig, set: string, dataDir: string): Promise<{ accepted: number; complains: boolean }> {
  const { code, errors } = await runCli(['restore', set, '--data-dir', dataDir])
  if (code !== 0) throw new Error(`restore ended with ${code}: ${errors}`)
  const collector = await startService({ name: 'collector', dataDir, env: SETTINGS })
  const analyzer = await startService({ name: 'analyzer', dataDir, env: SETTINGS })
  try {
    await Promise.all([waitUntilReady(collector, 'collector'), waitUntilReady(analyzer, 'analyzer')])
    const ledger = await callApi(`http://127.0.0.1:${analyzer.port}/v1/ingest/ledger`, { key: rig.keys.agent_key })
    const complains = `${collector.output()}${analyzer.output()}`.includes('data_loss')
    return { accepted: ledger.json<{ accepted: number }>().accepted, complains }
  } finally {
    await Promise.all([collector.end('SIGTERM'), analyzer.end('SIGTERM')])
  }
}

/** Every one must be refused with 74, and restoring over what runs with 75. */
async function offerWrongSets([first, , third]: readonly string[], folder: string, dataDir: string): Promise<string[]> {
  const wrong: string[] = []
  const offer = async (name: string, expected: number, target: string, damage: (set: string) => void) => {
    const set = join(folder, 'wrong')
    rmSync(set, { recursive: true, force: true })
    cpSync(first!, set, { recursive: true })
    damage(set)
    const { code } = await runCli(['restore', set, '--force', '--data-dir', target])
    if (code !== expected || existsSync(join(folder, 'target', 'telemetry.db'))) wrong.push(`${name}: ${code}`)
  }
  const target = join(folder, 'target')
  await offer('telemetry.db of another set', 74, target, (set) => cpSync(join(third!, 'telemetry.db'), join(set, 'telemetry.db')))
  await offer('cut', 74, target, (set) => truncateSync(join(set, 'telemetry.db'), 8192))
  await offer('without a secret', 74, target, (set) => rmSync(join(set, 'secrets', 'recovery.key')))
  await offer('another secret', 74, target, (set) => writeFileSync(join(set, 'secrets', 'recovery.key'), 'x'.repeat(65)))
  await offer('without a manifest', 74, target, (set) => rmSync(join(set, 'manifest.json')))
  await offer('over a running instance', 75, dataDir, () => {})
  return wrong
}
