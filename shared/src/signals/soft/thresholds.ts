/** From where on a soft signal is one. Each is a setting; see config. */
export interface SoftThresholds {
  /** Failed tries of the same work under one parent that are a storm: four are a usual policy of three retries. */
  retryStormMin: number
  /** Runs of one tool with the same arguments and the same result. */
  repeatedStepMin: number
  /** Characters up to which an answer counts as empty, blanks left out. */
  emptyOutputMaxChars: number
  /** Output tokens below which an answer was cut on purpose: a yes or no asked for with a limit of a few tokens. */
  truncatedOutputMinTokens: number
  /** A refusal in words is short; longer answers only begin politely. */
  refusalMaxChars: number
  /** Arguments outside a tool's schema that make a call invalid. */
  invalidToolArgumentsMin: number
  /** Calls of one turn that were announced and never executed. */
  orphanToolCallMin: number
  /** Score between 0 and 1 up to which a person's or an evaluator's word is negative. */
  negativeFeedbackMaxScore: number
  /** How many times the usual time of an operation is slow, and how many ms more at least. */
  slowFactor: number
  slowMinMs: number
  /** How many times the usual cost of an agent's run is an outlier, and how much more at least: in money where prices are known. */
  costOutlierFactor: number
  costOutlierMinUsd: number
  costOutlierMinTokens: number
}

/** The thresholds among settings of the same names. */
export function pickSoftThresholds(settings: SoftThresholds): SoftThresholds {
  const { retryStormMin, repeatedStepMin, emptyOutputMaxChars, truncatedOutputMinTokens, refusalMaxChars } = settings
  const { invalidToolArgumentsMin, orphanToolCallMin, negativeFeedbackMaxScore } = settings
  const { slowFactor, slowMinMs, costOutlierFactor, costOutlierMinUsd, costOutlierMinTokens } = settings
  return {
    ...{ retryStormMin, repeatedStepMin, emptyOutputMaxChars, truncatedOutputMinTokens, refusalMaxChars },
    ...{ invalidToolArgumentsMin, orphanToolCallMin, negativeFeedbackMaxScore },
    ...{ slowFactor, slowMinMs, costOutlierFactor, costOutlierMinUsd, costOutlierMinTokens },
  }
}

export const DEFAULT_SOFT_THRESHOLDS: SoftThresholds = {
  retryStormMin: 5,
  repeatedStepMin: 3,
  emptyOutputMaxChars: 0,
  truncatedOutputMinTokens: 16,
  refusalMaxChars: 400,
  invalidToolArgumentsMin: 1,
  orphanToolCallMin: 1,
  negativeFeedbackMaxScore: 0.25,
  slowFactor: 2,
  slowMinMs: 50,
  costOutlierFactor: 2,
  costOutlierMinUsd: 0.01,
  costOutlierMinTokens: 2_000,
}
