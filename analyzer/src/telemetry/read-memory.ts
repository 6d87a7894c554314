import { createJudgeMemory, type JudgeMemory } from '@loopkit/shared/signals/judge-memory'
import { type BoundedMemory, createBoundedMemory } from './bounded-memory.ts'
import type { JudgedOpenTrace } from './open-failures.ts'

/**
 * What one reader remembers from one question to the next. Only what follows from telemetry that does not change any more, by what it
 * follows from: answers are the same without it, after a restart and from another reader.
 */
export interface ReadMemory {
  /** Open traces as of their last commit. */
  openTraces: BoundedMemory<JudgedOpenTrace>
  /** Texts of the project that was asked about last. */
  judgeMemoryOf(projectId: string): JudgeMemory
}

const MIB = 1024 ** 2
/** Some thousand traces with one failure each. */
const OPEN_TRACES_MAX_BYTES = 6 * MIB

/** `share` 0 remembers nothing: for who wants to know that it changes nothing. */
export function createReadMemory(share = 1): ReadMemory {
  let judging: { projectId: string; memory: JudgeMemory } | null = null
  return {
    openTraces: createBoundedMemory(share * OPEN_TRACES_MAX_BYTES),
    judgeMemoryOf(projectId) {
      if (judging?.projectId !== projectId || share === 0) judging = { projectId, memory: createJudgeMemory(projectId) }
      return judging.memory
    },
  }
}
