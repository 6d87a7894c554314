import { join } from 'node:path'
import { changePoints } from '../../analyzer/src/domain/statistics/change-points.ts'
import { type Measure, mean } from './measure.ts'
import { locateSet, NothingToMeasure, readJsonSet } from './read-set.ts'
import { scoreCover, scoreF1 } from './score-segmentation.ts'

/** Series in which several people marked where they change. */
export function measureMarkedChanges(folder: string): Measure {
  const annotations = readJsonSet(join(folder, 'annotations.json')) as Record<string, Record<string, number[]>>
  const marked = Object.entries(annotations).flatMap(([name, people]) => {
    const path = locateSet(folder, `${name}.json`)
    const marks = Object.values(people)
    if (path === null || marks.length === 0) return []
    const { series } = readJsonSet(path) as { series: { raw: (number | null)[] }[] }
    return series.length > 0 ? [{ series: series.map(({ raw }) => fillGaps(raw)), marks }] : []
  })
  if (marked.length === 0) throw new NothingToMeasure('no series with marks of people')
  const scores = marked.map(({ series, marks }) => {
    const score = (found: number[]) => ({ cover: scoreCover(marks, found, series[0]!.length), f1: scoreF1(marks, found) })
    return { ours: score(changePoints(series)), none: score([]) }
  })
  const none = (of: 'cover' | 'f1') => mean(scores.map((one) => one.none[of]))
  const ours = (of: 'cover' | 'f1') => mean(scores.map((one) => one.ours[of]))
  return {
    name: 'change points',
    published: 'binary segmentation .706/.744; E-Divisive .523/.598; “no change” .583/.669',
    figures: [
      { name: 'cover', value: ours('cover'), target: { atLeast: Math.max(0.68, none('cover')) } },
      { name: 'F1, margin 5', value: ours('f1'), target: { atLeast: Math.max(0.72, none('f1')) } },
    ],
    note: `${scores.length} series; “no change” here ${none('cover').toFixed(3)}/${none('f1').toFixed(3)}`,
  }
}

/** A gap holds the value before it, or the first one. */
function fillGaps(raw: readonly (number | null)[]): number[] {
  let last = raw.find((value) => value !== null) ?? 0
  return raw.map((value) => {
    last = value ?? last
    return last
  })
}
