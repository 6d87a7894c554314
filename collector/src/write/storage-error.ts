import type { RefusalCode } from '../receive/outcome.ts'

export interface ExplainedStorageError {
  answer: { code: RefusalCode; message: string; isFatal: boolean }
  /** The connection may be in a state that only a new one mends. */
  mustReopen: boolean
}

/** The disk did not say that it has what it was given; on which connection it failed is no matter. */
export function isSyncFailure(code: string): boolean {
  return /^SQLITE_IOERR_(DIR_)?FSYNC$/.test(code)
}

/**
 * What a failed commit means. After a failed fsync nobody knows what is on disk, and trying again on the same handle
 * would answer "done" for pages that the kernel has thrown away (ATC '20): the process must end and recover.
 */
export function explainStorageError(error: unknown): ExplainedStorageError {
  const code = (error as { code?: string }).code ?? 'UNKNOWN'
  const answer = (refusal: RefusalCode, isFatal = false) => ({
    code: refusal,
    message: `the spans were not stored (${code})`,
    isFatal,
  })
  if (isSyncFailure(code) || code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB')
    return { answer: answer('storage_failed', true), mustReopen: true }
  if (code === 'SQLITE_FULL') return { answer: answer('storage_full'), mustReopen: false }
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED'))
    return { answer: answer('storage_busy'), mustReopen: false }
  if (code.startsWith('SQLITE_READONLY')) return { answer: answer('storage_readonly'), mustReopen: true }
  return { answer: answer('storage_failed'), mustReopen: true }
}
