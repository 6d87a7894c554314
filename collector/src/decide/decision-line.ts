import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import type { LineMemory } from '../write/messages.ts'
import { createAnswerSignal, createSignal, waitForAnswer } from '../write/writer-line.ts'
import type { WriteDecisions } from './decision-transaction.ts'
import type { TraceDecision } from './describe-decision.ts'

/** What the deciding thread asks of the writer: one transaction. */
export interface DecisionBatch {
  decisions: readonly TraceDecision[]
  nowMs: number
}

/** Stored hashes, or why nothing was written. */
export type DecisionAnswer = { decided: bigint[] } | { code: string; message: string }

/** The writer did not write decisions; `code` as SQLite says it. */
export class DecisionsUnwrittenError extends Error {
  override readonly name = 'DecisionsUnwrittenError'
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

/** A writer that is so late has ended, and the process with it. */
const ANSWER_MAX_MS = 60_000

/**
 * The deciding thread gives way to all others, so it must not hold the lock of the file that the writer waits for: the
 * writer writes for it, between two commits.
 */
export function createDecisionLine(port: MessagePort, memory: LineMemory): WriteDecisions {
  const signal = createSignal(memory)
  return (decisions, nowMs) => {
    port.postMessage({ decisions, nowMs } satisfies DecisionBatch)
    signal()
    const answer = waitForAnswer(memory, ANSWER_MAX_MS, () => receiveMessageOnPort(port)?.message as DecisionAnswer | undefined)
    if (!answer) throw new DecisionsUnwrittenError('NO_ANSWER', 'the writer does not answer')
    if ('decided' in answer) return answer.decided
    throw new DecisionsUnwrittenError(answer.code, answer.message)
  }
}

/** The writer's end. */
export interface DecisionDesk {
  /** The batch that waits, if there is one. */
  next(): DecisionBatch | undefined
  answer(answer: DecisionAnswer): void
}

export function createDecisionDesk(port: MessagePort, memory: LineMemory): DecisionDesk {
  const signal = createAnswerSignal(memory)
  return {
    next: () => receiveMessageOnPort(port)?.message as DecisionBatch | undefined,
    answer(answer) {
      port.postMessage(answer)
      signal()
    },
  }
}
