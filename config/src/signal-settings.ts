import type { SettingSpec } from './settings-schema.ts'

const LARGEST = 1_000_000

/** From where on a soft signal is one; the defaults are those of shared/src/signals/soft/thresholds.ts. */
export const signalSettings = {
  signalsOff: {
    env: 'LOOPKIT_SIGNALS_OFF',
    type: 'string',
    default: '',
    description: 'Signals that are switched off, separated by commas',
  },
  retryStormMin: {
    env: 'LOOPKIT_RETRY_STORM_MIN',
    type: 'integer',
    default: 5,
    minimum: 2,
    maximum: LARGEST,
    description: 'Failed tries of the same work under one parent that are a retry_storm',
  },
  repeatedStepMin: {
    env: 'LOOPKIT_REPEATED_STEP_MIN',
    type: 'integer',
    default: 3,
    minimum: 2,
    maximum: LARGEST,
    description: 'Runs of one tool with the same arguments and result that are a repeated_step',
  },
  emptyOutputMaxChars: {
    env: 'LOOPKIT_EMPTY_OUTPUT_MAX_CHARS',
    type: 'integer',
    default: 0,
    minimum: 0,
    maximum: LARGEST,
    description: "Characters up to which a model's answer is an empty_output, blanks left out",
  },
  truncatedOutputMinTokens: {
    env: 'LOOPKIT_TRUNCATED_OUTPUT_MIN_TOKENS',
    type: 'integer',
    default: 16,
    minimum: 0,
    maximum: LARGEST,
    description: 'Output tokens below which an answer that was cut is no truncated_output: a limit so low is on purpose',
  },
  refusalMaxChars: {
    env: 'LOOPKIT_REFUSAL_MAX_CHARS',
    type: 'integer',
    default: 400,
    minimum: 0,
    maximum: LARGEST,
    description: 'Length up to which an answer with the words of a refusal is a refusal; finish reasons count always',
  },
  invalidToolArgumentsMin: {
    env: 'LOOPKIT_INVALID_TOOL_ARGUMENTS_MIN',
    type: 'integer',
    default: 1,
    minimum: 1,
    maximum: LARGEST,
    description: 'Calls of one turn that do not fit their tools and are an invalid_tool_arguments',
  },
  orphanToolCallMin: {
    env: 'LOOPKIT_ORPHAN_TOOL_CALL_MIN',
    type: 'integer',
    default: 1,
    minimum: 1,
    maximum: LARGEST,
    description: 'Calls of one turn that never ran and are an orphan_tool_call',
  },
  negativeFeedbackMaxScore: {
    env: 'LOOPKIT_NEGATIVE_FEEDBACK_MAX_SCORE',
    type: 'number',
    default: 0.25,
    minimum: -1,
    maximum: 1,
    description: 'Score between 0 and 1 up to which feedback or an evaluation is a negative_feedback',
  },
} as const satisfies Record<string, SettingSpec>
