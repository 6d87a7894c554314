import { checkRun } from '@loopkit/shared/eval-candidate/check-run'
import { type Draft, draftAssertions } from '@loopkit/shared/eval-candidate/draft-assertions'
import type { Figure, Measure } from './measure.ts'
import { NothingToMeasure } from './read-set.ts'
import { readTrials, type Trial } from './tau-trials.ts'

const WITH_TWIN_AT_LEAST = 0.95
const WITHOUT_TWIN_AT_LEAST = 0.75

/** How often candidates of failing trials judge other trials of their task rightly. */
interface Tally {
  passing: { right: number; of: number }
  failing: { right: number; of: number }
}

export interface EvalFigures {
  withTwin: Tally
  withoutTwin: Tally
  /** Failing trials of whose task none passes. */
  loneFailing: number
  failing: number
  /** Candidates without a passing run that do not say that they are incomplete. */
  unmarked: number
}

/**
 * From each failing trial a candidate is drafted, then asked about the other trials of the task. With twins: those of the task's
 * passing trials that are not asked about. Without: from the failing trial alone, in the tasks where a passing one can be asked about.
 */
export function evalFigures(path: string): EvalFigures {
  const tasks = [...Map.groupBy(readTrials(path), ({ task }) => task).values()]
  const figures = { withTwin: noTally(), withoutTwin: noTally(), loneFailing: 0, failing: 0, unmarked: 0 }
  for (const trials of tasks) {
    const passing = trials.filter(({ isPassing }) => isPassing)
    for (const failing of trials.filter(({ isPassing }) => !isPassing)) {
      figures.failing += 1
      if (passing.length === 0) figures.loneFailing += 1
      if (draft(failing, []).missing.length === 0) figures.unmarked += 1
      for (const other of trials.filter((trial) => trial !== failing)) {
        const twins = passing.filter((trial) => trial !== other)
        if (twins.length > 0) note(figures.withTwin, other, draft(failing, twins))
        if (passing.length > 0) note(figures.withoutTwin, other, draft(failing, []))
      }
    }
  }
  return figures
}

export function measureEvalCandidates(path: string): Measure {
  const { withTwin, withoutTwin, loneFailing, failing, unmarked } = evalFigures(path)
  if (failing === 0) throw new NothingToMeasure('no failing trial in it')
  return {
    name: 'eval candidates',
    published: '–',
    figures: [
      ...figureOf('balanced accuracy with a passing run', withTwin, WITH_TWIN_AT_LEAST),
      ...figureOf('balanced accuracy from the failing run alone', withoutTwin, WITHOUT_TWIN_AT_LEAST),
      { name: 'candidates without a passing run that are not marked incomplete', value: unmarked, target: { atMost: 0 } },
    ],
    note:
      `${failing} failing trials, ${loneFailing} of them of tasks that none passed; the trial asked about is never drafted from. ` +
      `With a passing run ${of(withTwin)}; without ${of(withoutTwin)}`,
  }
}

/** None where one side has no trial that could be asked about. */
function figureOf(name: string, tally: Tally, atLeast: number): Figure[] {
  const { passing, failing } = tally
  return passing.of === 0 || failing.of === 0 ? [] : [{ name, value: balancedAccuracy(tally), target: { atLeast } }]
}

const of = ({ passing, failing }: Tally) =>
  `${failing.right} of ${failing.of} failing trials failed, ${passing.right} of ${passing.of} passing ones passed`

const noTally = (): Tally => ({ passing: { right: 0, of: 0 }, failing: { right: 0, of: 0 } })

/** As a diagnosis drafts from a run that an evaluator called bad. */
function draft(failing: Trial, twins: readonly Trial[]): Draft {
  return draftAssertions({
    service: 'unknown_service',
    operation: 'invoke_agent',
    signal: 'negative_feedback',
    template: '',
    failing: failing.run,
    passing: twins.map(({ run }) => run),
  })
}

/** What cannot be told is neither right. */
function note(tally: Tally, { isPassing, run }: Trial, { assertions }: Draft): void {
  const side = isPassing ? tally.passing : tally.failing
  side.of += 1
  if (checkRun(assertions, run).verdict === (isPassing ? 'pass' : 'fail')) side.right += 1
}

function balancedAccuracy({ passing, failing }: Tally): number {
  return (passing.right / passing.of + failing.right / failing.of) / 2
}
