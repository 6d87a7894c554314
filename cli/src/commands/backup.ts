import { resolve } from 'node:path'
import type { Command } from 'commander'
import { backUp, removeParts } from '../backup/backup.ts'
import type { BackupManifest } from '../backup/manifest.ts'
import { type RestoreOptions, restore } from '../backup/restore.ts'
import { addDataFolderOption, type DataFolderFlags, dataFolderOf } from '../data-folder-options.ts'
import { toExitError } from '../exit-error.ts'

const MB = 1024 ** 2
const PROGRESS_EVERY_MS = 1_000
/** What a shell expects of a command that a signal ended: 128 and the signal's number. */
const SIGNAL_EXITS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

/** `loopkit backup TARGET`: the whole instance as one set, while it runs. */
export function addBackup(program: Command): void {
  addDataFolderOption(program.command('backup'))
    .description('write both databases and the secrets of an instance, running or not, as one set')
    .argument('<target>', 'a new or empty folder, or a new file that ends in .tar')
    .option('--json', 'print the manifest')
    .action(async (target: string, flags: DataFolderFlags & { json?: boolean }) => {
      endWithoutTraces(`${resolve(target)}.part-${process.pid}`)
      const startMs = performance.now()
      const manifest = await backUp({
        dataDir: dataFolderOf(flags),
        target,
        nowMs: Date.now(),
        version: program.version() ?? '',
        pid: process.pid,
        onProgress: createProgress(),
      }).catch((error: unknown) => {
        throw toExitError(error)
      })
      console.log(flags.json ? JSON.stringify(manifest) : describeBackup(target, manifest, performance.now() - startMs))
    })
}

/** `loopkit restore SOURCE`: a set back in place, of an instance that does not run. */
export function addRestore(program: Command): void {
  addDataFolderOption(program.command('restore'))
    .description('check a backup and put it in place of an instance that does not run')
    .argument('<source>', 'what `loopkit backup` wrote')
    .option('--force', 'move what lies in the data folder aside')
    .action((source: string, flags: DataFolderFlags & { force?: boolean }) => {
      const dataDir = dataFolderOf(flags)
      const { manifest, movedTo } = restoreOrExit({
        dataDir,
        source,
        force: flags.force === true,
        nowMs: Date.now(),
        pid: process.pid,
      })
      console.log(`restored the backup of ${manifest.created_at} (commit ${manifest.telemetry.last_commit}) into ${dataDir}`)
      if (movedTo !== null) console.log(`what lay there before is in ${movedTo}`)
      if (!manifest.files.some(({ path }) => path.startsWith('secrets/')))
        console.log('the backup holds no secrets: set LOOPKIT_RECOVERY_SECRET to what it was, or no recovery code is right')
    })
}

function restoreOrExit(options: RestoreOptions) {
  try {
    return restore(options)
  } catch (error) {
    throw toExitError(error)
  }
}

/** A backup that is cut off leaves nothing that looks like one. */
function endWithoutTraces(part: string): void {
  for (const [signal, exitCode] of Object.entries(SIGNAL_EXITS)) {
    process.on(signal, () => {
      removeParts(part)
      process.exit(exitCode)
    })
  }
}

/** A line a second at most, on standard error. */
function createProgress(): (what: string, done: number, of: number) => void {
  let toldMs = Number.NEGATIVE_INFINITY
  return (what, done, of) => {
    if (performance.now() - toldMs < PROGRESS_EVERY_MS) return
    toldMs = performance.now()
    console.error(`loopkit: ${what}: ${Math.floor(done / MB)} of ${Math.ceil(of / MB)} MB`)
  }
}

function describeBackup(target: string, { files, telemetry, created_at }: BackupManifest, tookMs: number): string {
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
  const size = `${(bytes / MB).toFixed(1)} MB in ${files.length} files`
  return `${target}: ${size}, until commit ${telemetry.last_commit} of ${telemetry.last_at ?? 'never'}, begun ${created_at}, ${(tookMs / 1000).toFixed(1)} s`
}
