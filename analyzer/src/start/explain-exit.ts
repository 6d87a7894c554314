import { SettingsError } from '@loopkit/config/read-settings'
import { DatabaseDamagedError } from '@loopkit/shared/database/guard/database-place'
import { NetworkDiskError } from '@loopkit/shared/database/guard/disk-kind'
import { FolderInUseError } from '@loopkit/shared/database/guard/folder-lock'
import { SchemaNewerError } from '@loopkit/shared/database/migrate'
import { EXIT } from '@loopkit/shared/runtime/exit-codes'
import { RecoverySecretError } from '../capabilities/recovery/index.ts'

export interface ExitReason {
  code: number
  /** One line for a person: what is wrong and what to do. */
  line: string
}

/** Why the process cannot start, from what was thrown. */
export function explainExit(error: unknown, { dataDir }: { dataDir: string }): ExitReason {
  const { code = '', message } = error as { code?: string; message: string }
  if (error instanceof SettingsError) return { code: EXIT.config, line: message }
  if (error instanceof SchemaNewerError) {
    return {
      code: EXIT.schemaNewer,
      line: `${dataDir}/control.db was written by a newer LoopKit (${message}); start that version`,
    }
  }
  if (error instanceof NetworkDiskError) return { code: EXIT.config, line: message }
  if (error instanceof FolderInUseError) return { code: EXIT.portTaken, line: message }
  if (error instanceof DatabaseDamagedError) return { code: EXIT.data, line: `${message}; nothing was changed` }
  if (error instanceof RecoverySecretError) return { code: EXIT.data, line: message }
  if (code === 'EADDRINUSE' || code === 'EADDRNOTAVAIL')
    return { code: EXIT.portTaken, line: `${message}; another program is there: change LOOPKIT_HOST or LOOPKIT_ANALYZER_PORT` }
  if (/^SQLITE_(CORRUPT|NOTADB|IOERR)/.test(code)) {
    return { code: EXIT.data, line: `a database in ${dataDir} is damaged (${message}); it was left as it is` }
  }
  if (/^(ENOENT|EACCES|EPERM|EROFS|ENOTDIR|EEXIST|ENOSPC|SQLITE_(CANTOPEN|READONLY|FULL))/.test(code)) {
    return { code: EXIT.folderNotWritable, line: `${dataDir} cannot be written (${message}); set LOOPKIT_DATA_DIR` }
  }
  return { code: EXIT.software, line: `could not start: ${message}` }
}
