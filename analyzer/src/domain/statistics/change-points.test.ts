import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { scoreCover, scoreF1 } from './change-points.fixture.ts'
import { changePoints } from './change-points.ts'

/** Noise without chance: a sine of an irrational step. */
const noisy = (length: number, of: (i: number) => number) => [Array.from({ length }, (_, i) => of(i) + 0.3 * Math.sin(i * i))]

describe('a series', () => {
  test.each([
    ['that steps up once', noisy(100, (i) => (i < 60 ? 0 : 3)), [60]],
    ['that steps up and down', noisy(120, (i) => (i < 40 || i >= 80 ? 0 : 3)), [40, 80]],
    ['that only rises', noisy(100, (i) => i / 10), []],
    ['that stays', noisy(100, () => 5), []],
    ['without any noise', [Array.from({ length: 20 }, () => 1)], []],
    ['too short to tell', [[1, 5, 1]], []],
    ['of nothing', [], []],
  ])('%s changes there', (_, series, expected) => expect(changePoints(series)).toEqual(expected))
})

const folder = join(process.cwd(), '..', 'shared', 'data', 'tcpd')
const hasData = existsSync(folder)
if (!hasData) console.warn(`${folder} is not there: change points are not compared with people's`)
const read = (name: string) => JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8'))

;(hasData ? test : test.skip)('changes are found where people mark them', () => {
  const annotations = read('annotations') as Record<string, Record<string, number[]>>
  const scores = Object.entries(annotations).map(([name, people]) => {
    const series = (read(name) as { series: { raw: (number | null)[] }[] }).series.map(({ raw }) => fillGaps(raw))
    const marks = Object.values(people)
    const score = (found: number[]) => [scoreCover(marks, found, series[0]!.length), scoreF1(marks, found)] as const
    return { found: score(changePoints(series)), none: score([]) }
  })
  const mean = (of: (one: (typeof scores)[number]) => number) => scores.reduce((sum, one) => sum + of(one), 0) / scores.length
  const cover = mean(({ found }) => found[0])
  const f1 = mean(({ found }) => found[1])
  console.log(
    `cover ${cover.toFixed(3)} (no change ${mean(({ none }) => none[0]).toFixed(3)}), F1 ${f1.toFixed(3)} (${mean(({ none }) => none[1]).toFixed(3)})`,
  )
  expect(cover).toBeGreaterThanOrEqual(0.68)
  expect(f1).toBeGreaterThanOrEqual(0.72)
})

/** A gap holds the value before it, or the first one. */
function fillGaps(raw: readonly (number | null)[]): number[] {
  let last = raw.find((value) => value !== null) ?? 0
  return raw.map((value) => {
    last = value ?? last
    return last
  })
}
