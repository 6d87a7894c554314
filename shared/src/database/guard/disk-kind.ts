import { statfsSync } from 'node:fs'
import { platform } from 'node:process'

/** The folder lies on a disk on which SQLite's log cannot be trusted. */
export class NetworkDiskError extends Error {
  override readonly name = 'NetworkDiskError'
}

/**
 * File systems, by Linux's `statfs` magic, whose files may be written from another kernel or through a daemon: shared memory
 * and locks of the write-ahead log do not reach across, and fsync means what the other side makes of it.
 */
const NETWORK_KINDS: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x01021997, '9p'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB2'],
  [0x65735546, 'FUSE'],
  [0x00c36400, 'Ceph'],
  [0x0bd00bd0, 'Lustre'],
  [0x5346414f, 'AFS'],
  [0x73757245, 'Coda'],
  [0x786f4256, 'VirtualBox'],
  [0x01161970, 'GFS2'],
  [0x7461636f, 'OCFS2'],
])
const OVERLAY = 0x794c7630

export interface DiskKind {
  kind: 'local' | 'overlay' | 'network'
  name: string
}

/** `type` as `statfs` answers it. */
export function diskKindOf(type: number): DiskKind {
  const name = NETWORK_KINDS.get(type >>> 0)
  if (name !== undefined) return { kind: 'network', name }
  return type >>> 0 === OVERLAY ? { kind: 'overlay', name: 'overlay' } : { kind: 'local', name: 'local' }
}

/**
 * The disk of an existing folder. A network disk is refused unless it is allowed. An overlay, the layer of a container, is not:
 * the log works within one kernel; but it ends with the container, which the caller should say.
 */
export function checkDisk(dataDir: string, isNetworkAllowed: boolean): DiskKind {
  if (platform !== 'linux') return { kind: 'local', name: 'local' }
  const disk = diskKindOf(statfsSync(dataDir).type)
  if (disk.kind === 'network' && !isNetworkAllowed)
    throw new NetworkDiskError(
      `${dataDir} lies on ${disk.name}, where SQLite can lose or damage data; use a local disk, or set LOOPKIT_ALLOW_NETWORK_DISK=true`,
    )
  return disk
}
