import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { compile } from './fault-shim.ts'

/** A file system of its own for a data folder, to break. */
export interface FaultDisk {
  /** On the file system; empty at first. */
  dataDir: string
  remove(): void
}

export interface LoopDisk extends FaultDisk {
  /** The power goes: what is not on the disk is gone. Nothing can be read or written until `replug`. */
  cutPower(): void
  /** The kernel turns the file system read-only, as after an error of the disk. */
  turnReadOnly(): void
  /** After a cut or an error, when no process has a file open there: mounts it again. */
  replug(): void
}

const DISK_BYTES = 512 * 1024 ** 2

/** Why no file system can be mounted here, or null. */
export function whyNoMount(): string | null {
  if (process.platform !== 'linux') return 'mounting a test disk needs Linux'
  if (process.getuid?.() !== 0) return 'mounting a test disk needs root'
  const folder = mkdtempSync(join(tmpdir(), 'loopkit-disk-'))
  try {
    run('mount', '-t', 'tmpfs', '-o', 'size=1m', 'loopkit-test', folder)
    run('umount', folder)
    return null
  } catch {
    return 'this machine does not let file systems be mounted'
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Why there can be no disk that is cut off, or null. */
export function whyNoLoopDisk(): string | null {
  const why = whyNoMount()
  if (why) return why
  if (!existsSync('/dev/loop-control')) return 'there are no loop devices'
  try {
    execFileSync('mkfs.ext4', ['-V'], { stdio: 'ignore' })
    execFileSync('cc', ['--version'], { stdio: 'ignore' })
    return null
  } catch {
    return 'mkfs.ext4 or a C compiler is missing'
  }
}

/** ext4 on a loop file. */
export function createLoopDisk(): LoopDisk {
  const folder = mkdtempSync(join(tmpdir(), 'loopkit-disk-'))
  const image = join(folder, 'image')
  const mountPoint = join(folder, 'mount')
  writeFileSync(image, '')
  truncateSync(image, DISK_BYTES)
  mkdirSync(mountPoint)
  run('mkfs.ext4', '-q', '-E', 'lazy_itable_init=1,lazy_journal_init=1', image)
  const powerCut = compile('power-cut.c', join(folder, 'power-cut'))
  const plug = () => run('mount', '-o', 'loop,errors=remount-ro', image, mountPoint)
  plug()
  const dataDir = join(mountPoint, 'data')
  mkdirSync(dataDir)
  run('sync', '-f', mountPoint)
  return {
    dataDir,
    cutPower: () => run(powerCut, mountPoint),
    turnReadOnly: () => {
      const device = run('findmnt', '-n', '-o', 'SOURCE', mountPoint).trim()
      writeFileSync(`/sys/fs/ext4/${basename(realpathSync(device))}/trigger_fs_error`, '1')
    },
    replug: () => {
      run('umount', mountPoint)
      plug()
    },
    remove: () => removeMount(mountPoint, folder),
  }
}

/** A small file system in memory. */
export function createMemoryDisk(megabytes: number): FaultDisk {
  const folder = mkdtempSync(join(tmpdir(), 'loopkit-disk-'))
  const mountPoint = join(folder, 'mount')
  mkdirSync(mountPoint)
  run('mount', '-t', 'tmpfs', '-o', `size=${megabytes}m`, 'loopkit-test', mountPoint)
  return { dataDir: join(mountPoint, 'data'), remove: () => removeMount(mountPoint, folder) }
}

function removeMount(mountPoint: string, folder: string): void {
  // Lazily, so that nothing stays behind where a process still has a file open.
  run('umount', '-l', mountPoint)
  rmSync(folder, { recursive: true, force: true })
}

function run(program: string, ...args: string[]): string {
  return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}
