import { expect, test } from '@jest/globals'
import { SettingsError } from '@loopkit/config/read-settings'
import { SchemaNewerError } from '@loopkit/shared/database/migrate'
import { FolderInUseError } from './claim-folder.ts'
import { explainExit } from './explain-exit.ts'

const coded = (code: string, message = code) => Object.assign(new Error(message), { code })

test.each([
  ['a setting', new SettingsError('setting LOOPKIT_HOST is wrong'), 78],
  ['a newer schema', new SchemaNewerError('step 9'), 79],
  ['a folder in use', new FolderInUseError('another collector'), 75],
  ['a taken port', coded('EADDRINUSE', 'listen EADDRINUSE 127.0.0.1:4318'), 75],
  ['a port that needs rights', coded('EACCES', 'listen EACCES: permission denied'), 75],
  ['a damaged file', coded('SQLITE_NOTADB'), 74],
  ['a corrupt page', coded('SQLITE_CORRUPT'), 74],
  ['a folder that cannot be written', coded('EACCES', "EACCES: permission denied, mkdir '/x'"), 77],
  ['a read-only file system', coded('EROFS'), 77],
  ['a file that cannot be created', coded('SQLITE_CANTOPEN'), 77],
  ['anything else', new Error('bug'), 70],
])('%s has its own exit code and one line', (_, error, code) => {
  const reason = explainExit(error, '/data')
  expect(reason.code).toBe(code)
  expect(reason.line).not.toContain('\n')
})
