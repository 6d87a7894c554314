import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startService } from '../harness/service-process.ts'
import { compile } from './fault-shim.ts'

export interface DiskKindSeen {
  kind: string
  /** What the start came to: 'listens', or the exit and its line. */
  start: string
  /** The same where the setting allows it. */
  startAllowed: string
}

/** The numbers by which Linux tells file systems (statfs(2)). */
const KINDS = { NFS: '0x6969', FUSE: '0x65735546', overlay: '0x794c7630' } as const
export type ShownKind = keyof typeof KINDS

/** Starts a collector on a folder that says it lies on each kind of disk, as it is and with the setting that allows it. */
export async function runDiskKinds(): Promise<DiskKindSeen[]> {
  const folder = mkdtempSync(join(tmpdir(), 'loopkit-disk-kind-'))
  const library = compile('disk-kind-shim.c', join(folder, 'disk-kind-shim.so'), '-shared', '-fPIC')
  const start = async (name: string, kind: string, more: Record<string, string> = {}) => {
    const dataDir = join(folder, name)
    const env = { LD_PRELOAD: library, DISK_KIND_SHIM: kind, LOOPKIT_OTLP_HTTP_PORT: '0', LOOPKIT_OTLP_GRPC_PORT: '0', ...more }
    try {
      const service = await startService({ name: 'collector', dataDir, env })
      await service.end('SIGTERM')
      return 'listens'
    } catch (error) {
      return (error as Error).message
    }
  }
  try {
    const one = async ([name, kind]: [string, string]): Promise<DiskKindSeen> => ({
      kind: name,
      start: await start(name, kind),
      startAllowed: await start(`${name}-allowed`, kind, { LOOPKIT_ALLOW_NETWORK_DISK: 'true' }),
    })
    return await Promise.all(Object.entries(KINDS).map(one))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
