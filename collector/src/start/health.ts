import { EXIT } from '@loopkit/shared/runtime/exit-codes'
import type { Logger } from '@loopkit/shared/runtime/log'
import type { WriterReply } from '../write/messages.ts'

/** Whether spans can be stored, and what ends the process. */
export interface Health {
  /** Why the store does not take spans, or null. */
  reason(): string | null
  /** The process is about to end: nothing may be promised to anybody. */
  hasEnded(): boolean
  noteReply(reply: WriterReply): void
  /** A thread ended: the process is of no use without it. */
  fail(what: string, error: Error): void
}

export function createHealth(onFatal: (exitCode: number, error: Error) => void, log: Logger): Health {
  let reason: string | null = null
  let ended = false
  const end = (exitCode: number, error: Error) => {
    if (ended) return
    ended = true
    reason = error.message
    onFatal(exitCode, error)
  }
  return {
    reason: () => reason,
    hasEnded: () => ended,
    noteReply(reply) {
      if (ended || (reply.kind !== 'committed' && reply.kind !== 'failed')) return
      const before = reason
      reason = reply.kind === 'failed' ? `${reply.code}: ${reply.message}` : null
      if (reason !== null && before === null) log.error({ code: 'storage.failed', reason }, 'spans cannot be stored')
      if (reason === null && before !== null) log.info({ code: 'storage.recovered' }, 'spans can be stored again')
      if (reply.kind === 'failed' && reply.isFatal) end(EXIT.software, new Error(reply.message))
    },
    fail: (what, error) => end(EXIT.software, new Error(`${what}: ${error.message}`, { cause: error })),
  }
}
