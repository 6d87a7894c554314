import { expect, test } from '@jest/globals'
import { SettingsError } from '@loopkit/config/read-settings'
import { DatabaseDamagedError } from '@loopkit/shared/database/guard/database-place'
import { NetworkDiskError } from '@loopkit/shared/database/guard/disk-kind'
import { FolderInUseError } from '@loopkit/shared/database/guard/folder-lock'
import { SchemaNewerError } from '@loopkit/shared/database/migrate'
import { explainExit } from './explain-exit.ts'

const coded = (code: string, message = code) => Object.assign(new Error(message), { code })

test.each([
  ['a setting', new SettingsError('setting LOOPKIT_HOST is wrong'), 78],
  ['a newer schema', new SchemaNewerError('step 9'), 78],
  ['a folder in use', new FolderInUseError('another collector'), 75],
  ['a taken port', coded('EADDRINUSE', 'listen EADDRINUSE 127.0.0.1:4318'), 75],
  ['a port that needs rights', coded('EACCES', 'listen EACCES: permission denied'), 75],
  ['a damaged file', coded('SQLITE_NOTADB'), 74],
  ['a corrupt page', coded('SQLITE_CORRUPT'), 74],
  ['a log that is shorter than it was', coded('SQLITE_IOERR_SHORT_READ'), 74],
  ['a database that is gone', new DatabaseDamagedError('/data/telemetry.db is gone'), 74],
  ['a network disk', new NetworkDiskError('/data lies on NFS'), 78],
  ['a folder that cannot be written', coded('EACCES', "EACCES: permission denied, mkdir '/x'"), 77],
  ['a read-only file system', coded('EROFS'), 77],
  ['a file that cannot be created', coded('SQLITE_CANTOPEN'), 77],
  ['anything else', new Error('bug'), 70],
])('%s has its own exit code and one line', (_, error, code) => {
  const reason = explainExit(error, '/data')
  expect(reason.code).toBe(code)
  expect(reason.line).not.toContain('\n')
})
