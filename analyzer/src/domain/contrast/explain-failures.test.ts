import { describe, expect, test } from '@jest/globals'
import { type ContrastCell, explainFailures } from './explain-failures.ts'

const LIMITS = { explanationsMax: 3 }
const cell = (values: readonly (string | null)[], failing: number, total: number): ContrastCell => ({ values, failing, total })
/** Every pair of two values of two attributes, `total` records each; those of `cause` fail. */
const grid = (cause: (region: string, version: string) => boolean, total = 50): ContrastCell[] =>
  ['eu', 'us'].flatMap((region) =>
    ['1', '2'].map((version) => cell([region, version, null], cause(region, version) ? total * 0.8 : 1, total)),
  )
const named = (cells: ContrastCell[]) =>
  explainFailures(cells, LIMITS).map(({ conditions }) => conditions.map(({ value }) => value).join(' and '))

describe('what failing records share', () => {
  test.each([
    ['one value', grid((region) => region === 'eu'), 'eu'],
    ['two values together', grid((region, version) => region === 'eu' && version === '2'), 'eu and 2'],
  ])('is %s', (_, cells, first) => expect(named(cells)[0]).toBe(first))

  test('is both of two causes that have nothing to do with each other, each among the answers', () => {
    const regions = ['eu', 'us', 'ap', 'af']
    const cells = regions.flatMap((region) =>
      ['1', '2', '3'].flatMap((version) =>
        ['x', 'y', 'z'].map((zone) => cell([region, version, zone], (region === 'eu' ? 30 : 1) + (version === '3' ? 12 : 0), 50)),
      ),
    )
    expect(named(cells)).toEqual(expect.arrayContaining(['eu', '3']))
  })

  test('is the same for any order of the records', () => {
    const cells = grid((region, version) => region === 'us' && version === '1')
    expect(explainFailures([...cells].reverse(), LIMITS)).toEqual(explainFailures(cells, LIMITS))
  })

  test.each([
    ['no record', []],
    ['no failure', grid(() => false).map(({ values, total }) => cell(values, 0, total))],
    ['nothing but failures', grid(() => true).map(({ values, total }) => cell(values, total, total))],
    ['values that all fail alike', ['a', 'b'].map((value) => cell([value], 5, 50))],
  ])('is nothing with %s', (_, cells) => expect(named(cells as ContrastCell[])).toEqual([]))

  test('is told with its shares, its lift and a chance that knows how many were tried', () => {
    const [best] = explainFailures(
      grid((region) => region === 'eu'),
      LIMITS,
    )
    expect(best).toMatchObject({ failing: 80, total: 100, shareFailing: 80 / 82, shareHealthy: 20 / 118, lift: 40 })
    expect(best!.pAdjusted).toBeLessThan(1e-20)
  })

  test('is found among many attributes, most of which differ in every record', () => {
    const cells = Array.from({ length: 700 }, (_, i) => {
      const isFailing = i % 7 < 5
      const noise = Array.from({ length: 30 }, (_, n) => (n % 2 === 0 ? `id-${n}-${i}` : `g${(i * (n + 3)) % (n + 2)}`))
      return cell([...noise, isFailing ? 'broken' : i % 2 === 0 ? 'fine' : null, 'prod'], isFailing ? 1 : 0, 1)
    })
    expect(named(cells)[0]).toBe('broken')
  })

  test('never mistakes one value for another that reads like two', () => {
    const cells = [cell(['a1=1:b', null], 9, 10), cell(['a', 'b'], 1, 10), cell(['c', 'd'], 1, 100)]
    expect(explainFailures(cells, LIMITS)[0]).toMatchObject({ conditions: [{ attribute: 0, value: 'a1=1:b' }], failing: 9 })
  })
})
