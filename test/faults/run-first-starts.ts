import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { migrate } from '@loopkit/shared/database/migrate'
import { openDatabase } from '@loopkit/shared/database/open'
import { telemetryMigrations } from '@loopkit/shared/database/telemetry/migrations'
import { mulberry32 } from '../demo/random.ts'
import { projectRoot, startService } from '../harness/service-process.ts'

export interface FirstStartReport {
  kills: number
  /** Kills that came before the service listened: only these struck a start. */
  struck: number
  /** Schemas found after a kill that are neither the old one nor the new one. */
  mixed: number
  /** The start after all kills listened. */
  started: boolean
}

const KILL_WITHIN_MS = 400
const ENV = { LOOPKIT_OTLP_HTTP_PORT: '0', LOOPKIT_OTLP_GRPC_PORT: '0' }

/** Kills a collector again and again while it starts on a file of the first schema; then lets it start. */
export async function runFirstStarts({ kills, seed }: { kills: number; seed: number }): Promise<FirstStartReport> {
  const dataDir = mkdtempSync(join(tmpdir(), 'loopkit-start-'))
  const path = join(dataDir, 'telemetry.db')
  const random = mulberry32(seed)
  try {
    const report: FirstStartReport = { kills, struck: 0, mixed: 0, started: false }
    const first = openDatabase(path, { role: 'writer' })
    migrate(first, telemetryMigrations.slice(0, 1))
    first.close()
    for (let kill = 0; kill < kills; kill++) {
      if (await startAndKill(dataDir, 40 + random() * KILL_WITHIN_MS)) report.struck++
      if (![1, telemetryMigrations.length].includes(schemaOf(path))) report.mixed++
    }
    const service = await startService({ name: 'collector', dataDir, env: ENV })
    report.started = schemaOf(path) === telemetryMigrations.length
    await service.end('SIGTERM')
    return report
  } finally {
    rmSync(dataDir, { recursive: true, force: true })
  }
}

/** True where it had not come to listen. */
async function startAndKill(dataDir: string, afterMs: number): Promise<boolean> {
  const child = spawn(process.execPath, [join(projectRoot, 'collector', 'src', 'main.ts')], {
    cwd: projectRoot,
    stdio: 'ignore',
    env: { PATH: process.env.PATH, LOOPKIT_DATA_DIR: dataDir, ...ENV },
  })
  setTimeout(() => child.kill('SIGKILL'), afterMs)
  await once(child, 'exit')
  const listened = join(dataDir, 'run', 'collector.json')
  const struck = !existsSync(listened)
  rmSync(listened, { force: true })
  return struck
}

function schemaOf(path: string): number {
  const db = openDatabase(path, { role: 'reader' })
  try {
    return Number(db.prepare('select count(*) from schema_migration').pluck().get())
  } finally {
    db.close()
  }
}
