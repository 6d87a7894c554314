import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startService } from '../harness/service-process.ts'

/** What a collector says that finds an SQLite with the WAL-reset bug; 'listens' where it does not mind. */
export async function runOldSqlite(): Promise<string> {
  const dataDir = mkdtempSync(join(tmpdir(), 'loopkit-old-sqlite-'))
  const env = {
    NODE_OPTIONS: `--import ${new URL('old-sqlite.ts', import.meta.url).href}`,
    LOOPKIT_OTLP_HTTP_PORT: '0',
    LOOPKIT_OTLP_GRPC_PORT: '0',
  }
  try {
    const service = await startService({ name: 'collector', dataDir, env })
    await service.end('SIGTERM')
    return 'listens'
  } catch (error) {
    return (error as Error).message
  } finally {
    rmSync(dataDir, { recursive: true, force: true })
  }
}
