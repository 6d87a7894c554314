import { judgeOutliers, type RunsOfTime } from '../../analyzer/src/domain/outliers/judge-outliers.ts'
import {
  FAULTS,
  HEALTHY_SHAPES,
  type Shape,
  synthesizeHours,
  toDays,
} from '../../analyzer/src/domain/outliers/synthetic-runs.fixture.ts'
import type { Measure } from './measure.ts'

export interface OutlierAlarms {
  name: string
  operations: number
  /** Operations with a spell in their second week, and in their first. */
  false: number
  falseAtFirst: number
  /** Of each planted fault: operations in which it was found within twelve hours. */
  found: number[]
}

/** The defaults of the settings. */
const RULE = { factor: 2, excessMin: 50, aloneMin: 500 }
const WEEK_HOURS = 168
const FAULT_HOURS = 12
/** A few runs that are slower are told from the others where these do not scatter far beyond them. */
const TOLD_APART = /σ 0.3, 200|σ 0.[36], 2000|σ 0.6, 200|by day|wanders|weekdays/

/** Healthy operations of many shapes for two weeks, and the same with a fault at the end of the first. */
export function simulateOutliers({ operations, seed }: { operations: number; seed: number }): OutlierAlarms[] {
  return HEALTHY_SHAPES.map((shape) => {
    const all = Array.from({ length: operations }, (_, n) => seed * 100_003 + n)
    const spells = all.map((own) => spellHours(synthesizeHours(shape, { hours: 2 * WEEK_HOURS, seed: own })))
    return {
      name: shape.name,
      operations,
      false: spells.filter((hours) => hours.some((hour) => hour >= WEEK_HOURS)).length,
      falseAtFirst: spells.filter((hours) => hours.some((hour) => hour < WEEK_HOURS)).length,
      found: FAULTS.map((fault) => all.filter((own) => isFound(shape, { seed: own, fault })).length),
    }
  })
}

function isFound(shape: Shape, { seed, fault }: { seed: number; fault: (typeof FAULTS)[number] }): boolean {
  const faultyHours = [WEEK_HOURS, Number.POSITIVE_INFINITY] as const
  const hours = synthesizeHours(shape, { hours: WEEK_HOURS + FAULT_HOURS, seed, fault, faultyHours })
  return spellHours(hours).some((hour) => hour >= WEEK_HOURS)
}

/** Hours since the first; of a day its last. */
function spellHours(hours: readonly RunsOfTime[]): number[] {
  const first = hours[0]!.bucket
  const byHour = judgeOutliers(hours, RULE, 24).map(({ bucket }) => bucket - first)
  const byDay = judgeOutliers(toDays(hours), RULE, 1).map(({ bucket }) => bucket * 24 + 23 - first)
  return [...byHour, ...byDay]
}

export function measureOutliers(alarms: readonly OutlierAlarms[], { seed }: { seed: number }): Measure {
  const share = (of: (one: OutlierAlarms) => number, among = alarms) =>
    among.reduce((sum, one) => sum + of(one), 0) / among.reduce((sum, one) => sum + one.operations, 0)
  const apart = alarms.filter(({ name }) => TOLD_APART.test(name))
  const told = alarms.map(
    ({ name, false: late, falseAtFirst, found }) => `${name} ${late} (${falseAtFirst}), ${found.join(' and ')}`,
  )
  return {
    name: 'slow and dear runs',
    published: '',
    figures: [
      { name: 'healthy operations with an alarm in a week', value: share((one) => one.false), target: { atMost: 0.01 } },
      {
        name: `${FAULTS[0]!.name}: found, where runs do not scatter further`,
        value: share((one) => one.found[0]!, apart),
        target: { atLeast: 0.9 },
      },
      { name: `${FAULTS[1]!.name}: found`, value: share((one) => one.found[1]!), target: { atLeast: 0.9 } },
    ],
    note: `${alarms[0]?.operations ?? 0} simulated operations a shape, seed ${seed}; with an alarm in their second week (in their first, of which nothing is known yet), faults found within ${FAULT_HOURS} hours: ${told.join('; ')}`,
  }
}
