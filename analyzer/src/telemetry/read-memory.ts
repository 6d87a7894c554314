import { createJudgeMemory, type JudgeMemory } from '@loopkit/shared/signals/judge-memory'
import type { ContrastRecord } from '../domain/contrast/contrast-records.ts'
import type { Spell } from '../domain/outliers/judge-outliers.ts'
import type { ValueSteps } from '../domain/outliers/value-steps.ts'
import { type BoundedMemory, createBoundedMemory } from './bounded-memory.ts'
import { createDecidedTraces, type DecidedTraces } from './decided-traces.ts'
import type { FailureFacts } from './failure-facts.ts'
import type { LookedSegment } from './looked-segment.ts'
import type { JudgedOpenTrace } from './open-failures.ts'

/**
 * What one reader remembers from one question to the next. Only what follows from telemetry that does not change any more, by what it
 * follows from: answers are the same without it, after a restart and from another reader.
 */
export interface ReadMemory {
  /** Open traces as of their last commit. */
  openTraces: BoundedMemory<JudgedOpenTrace>
  /** Segments that were looked through for healthy runs. */
  segments: BoundedMemory<LookedSegment>
  /** Records of them as they are compared. */
  contrasted: BoundedMemory<ContrastRecord>
  /** Decided failures by their numbers. */
  failures: BoundedMemory<FailureFacts>
  /** How long hours of an operation took, and which of them were out of the usual. */
  valueSteps: BoundedMemory<ValueSteps>
  spells: BoundedMemory<Spell[]>
  /** What is decided of traces that were looked at, of the project that was asked about last. */
  decidedTracesOf(projectNo: number): DecidedTraces
  /** Texts of the project that was asked about last. */
  judgeMemoryOf(projectId: string): JudgeMemory
}

const MIB = 1024 ** 2
/** Some thousand traces with one failure each. */
const OPEN_TRACES_MAX_BYTES = 6 * MIB
/** A look and a half. */
const SEGMENTS_MAX_BYTES = 24 * MIB
/** Two hundred of each of fifty pains. */
const FAILURES_MAX_BYTES = 8 * MIB
/** Ten pains' of both sides, twice. */
const CONTRASTED_MAX_BYTES = 10 * MIB
/** Eight days of some 50 operations, and what they come to of a thousand. */
const OUTLIERS_MAX_BYTES = 8 * MIB

/** `share` 0 remembers nothing: for who wants to know that it changes nothing. */
export function createReadMemory(share = 1): ReadMemory {
  let decided: { projectNo: number; memory: DecidedTraces } | null = null
  let judging: { projectId: string; memory: JudgeMemory } | null = null
  return {
    openTraces: createBoundedMemory(share * OPEN_TRACES_MAX_BYTES),
    segments: createBoundedMemory(share * SEGMENTS_MAX_BYTES),
    contrasted: createBoundedMemory(share * CONTRASTED_MAX_BYTES),
    failures: createBoundedMemory(share * FAILURES_MAX_BYTES),
    valueSteps: createBoundedMemory(share * OUTLIERS_MAX_BYTES),
    spells: createBoundedMemory(share * OUTLIERS_MAX_BYTES),
    decidedTracesOf(projectNo) {
      if (decided?.projectNo !== projectNo || share === 0) decided = { projectNo, memory: createDecidedTraces() }
      return decided.memory
    },
    judgeMemoryOf(projectId) {
      if (judging?.projectId !== projectId || share === 0) judging = { projectId, memory: createJudgeMemory(projectId) }
      return judging.memory
    },
  }
}
