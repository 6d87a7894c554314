import { expect, test } from '@jest/globals'
import { explainStorageError } from './storage-error.ts'

test.each([
  ['a full disk is told and tried again', 'SQLITE_FULL', 'storage_full', false, false],
  ['a lock that is held is told and tried again', 'SQLITE_BUSY', 'storage_busy', false, false],
  ['a file system gone read-only', 'SQLITE_READONLY_DBMOVED', 'storage_readonly', false, true],
  ['a write that failed once gets a new connection', 'SQLITE_IOERR_WRITE', 'storage_failed', false, true],
  ['a failed fsync ends the process', 'SQLITE_IOERR_FSYNC', 'storage_failed', true, true],
  ['a damaged file ends the process', 'SQLITE_CORRUPT_VTAB', 'storage_failed', true, true],
  ['anything else is not taken for stored', undefined, 'storage_failed', false, true],
])('%s', (_, sqliteCode, code, isFatal, mustReopen) => {
  const error = Object.assign(new Error('x'), sqliteCode === undefined ? {} : { code: sqliteCode })
  expect(explainStorageError(error)).toMatchObject({ answer: { code, isFatal }, mustReopen })
})
