import { EXIT } from '@loopkit/shared/runtime/exit-codes'

/** Exit codes of the commands that work on a data folder, after sysexits.h like those of the services. */
export const FOLDER_EXIT = {
  /** Commits are gone and nobody has taken note of it. */
  loss: 1,
  /** There is no instance, or no backup, where one was named. */
  nothingThere: 66,
  /** The target exists already, or there is no room for it. */
  cannotCreate: 73,
  /** A database or a backup is damaged, mixed or not whole. */
  damaged: EXIT.data,
  /** A collector or an analyzer runs on the folder. */
  inUse: EXIT.portTaken,
  /** The folder cannot be written. */
  notWritable: EXIT.folderNotWritable,
  /** It was made by a newer version. */
  newer: EXIT.schemaNewer,
} as const

/** Ends the command with this code and one line. */
export class ExitError extends Error {
  override readonly name = 'ExitError'
  readonly exitCode: number
  constructor(exitCode: number, message: string) {
    super(message)
    this.exitCode = exitCode
  }
}

/** What SQLite and the file system throw, as an exit code and a line; anything else as it is. */
export function toExitError(error: unknown): unknown {
  if (error instanceof ExitError) return error
  const { name, message, code } = error as { name: string; message: string; code?: string }
  if (name === 'DatabaseDamagedError' || /^SQLITE_(CORRUPT|NOTADB|IOERR)/.test(code ?? ''))
    return new ExitError(FOLDER_EXIT.damaged, message)
  if (name === 'FolderInUseError') return new ExitError(FOLDER_EXIT.inUse, message)
  if (name === 'SchemaNewerError') return new ExitError(FOLDER_EXIT.newer, message)
  if (/^(ENOSPC|EDQUOT|EFBIG|SQLITE_FULL)$/.test(code ?? ''))
    return new ExitError(FOLDER_EXIT.cannotCreate, `no room: ${message}`)
  if (/^(EACCES|EPERM|EROFS|SQLITE_CANTOPEN|SQLITE_READONLY.*)$/.test(code ?? ''))
    return new ExitError(FOLDER_EXIT.notWritable, message)
  return error
}
