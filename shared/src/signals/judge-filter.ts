import { type AttributeFilter, createAttributeFilter } from '../otlp/attribute-filter.ts'
import { STEP_KEYS, STEP_PREFIXES, STEP_TEXT_MAX_BYTES } from '../span/steps/step-keys.ts'
import { WANTED_KEYS, WANTED_PREFIXES } from '../span/wanted-keys.ts'
import { DETECTION_KEYS } from './keys.ts'

/**
 * Every attribute that judging a whole trace reads: what the door reads, and what agents' steps said. The same wherever a trace is
 * judged, so that an undecided trace and a decided one are judged alike.
 */
export function createJudgeFilter(moreKeys: readonly string[] = []): AttributeFilter {
  return createAttributeFilter(
    [...WANTED_KEYS, ...DETECTION_KEYS, ...STEP_KEYS, ...moreKeys],
    [...WANTED_PREFIXES, ...STEP_PREFIXES],
    STEP_TEXT_MAX_BYTES,
  )
}
