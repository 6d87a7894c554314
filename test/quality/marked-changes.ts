import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { changePoints } from '../../analyzer/src/domain/statistics/change-points.ts'
import { type Measure, mean } from './measure.ts'
import { scoreCover, scoreF1 } from './score-segmentation.ts'

/** Series in which several people marked where they change. */
export function measureMarkedChanges(folder: string): Measure {
  const read = (name: string) => JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as unknown
  const annotations = read('annotations') as Record<string, Record<string, number[]>>
  const scores = Object.entries(annotations).map(([name, people]) => {
    const series = (read(name) as { series: { raw: (number | null)[] }[] }).series.map(({ raw }) => fillGaps(raw))
    const marks = Object.values(people)
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
