import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { templateOf } from './template.ts'

/** Public sets to measure on; they are no part of the project. */
const DATA = new URL('../../../../shared/data/', import.meta.url)

interface Grouping {
  /** Lines whose predicted group is exactly their true group. */
  groupAccuracy: number
  /** Pairs put together that belong together, of all pairs put together. */
  pairPrecision: number
}

if (!existsSync(new URL('loghub/', DATA)) || !existsSync(new URL('message_pairs.json', DATA))) {
  test.skip('measured where ../shared/data is present; here it is absent', () => {})
} else {
  describe('on public logs, with one configuration', () => {
    const files = readdirSync(new URL('loghub/', DATA)).filter((name) => name.endsWith('_2k.csv'))
    const measured = files.map((name) => groupingOf(readRows(readFileSync(new URL(`loghub/${name}`, DATA), 'utf8'))))

    test('grouping accuracy is at least .95', () => {
      expect(mean(measured.map(({ groupAccuracy }) => groupAccuracy))).toBeGreaterThanOrEqual(0.95)
    })

    test('pair precision is at least .99', () => {
      expect(mean(measured.map(({ pairPrecision }) => pairPrecision))).toBeGreaterThanOrEqual(0.99)
    })
  })

  describe('on pairs of messages', () => {
    const pairs = JSON.parse(readFileSync(new URL('message_pairs.json', DATA), 'utf8')) as {
      must: boolean
      a: string
      b: string
    }[]

    test.each([
      ['that must be one', true],
      ['that must be two', false],
    ])('at least .99 of those %s are', (_what, must) => {
      const kind = pairs.filter((pair) => pair.must === must)
      const right = kind.filter(({ a, b }) => (templateOf(a) === templateOf(b)) === must)
      expect(right.length / kind.length).toBeGreaterThanOrEqual(0.99)
    })
  })
}

function groupingOf(rows: [content: string, event: string][]): Grouping {
  const truth = groupBy(rows.map(([, event]) => event))
  const ours = groupBy(rows.map(([content]) => templateOf(content)))
  const trueGroups = new Set([...truth.values()].map(String))
  let exact = 0
  let together = 0
  let rightly = 0
  for (const lines of ours.values()) {
    if (trueGroups.has(String(lines))) exact += lines.length
    together += pairsOf(lines.length)
    for (const same of groupBy(lines.map((line) => rows[line]![1])).values()) rightly += pairsOf(same.length)
  }
  return { groupAccuracy: exact / rows.length, pairPrecision: rightly / together }
}

function groupBy(keys: string[]): Map<string, number[]> {
  const groups = new Map<string, number[]>()
  for (const [i, key] of keys.entries()) groups.set(key, [...(groups.get(key) ?? []), i])
  return groups
}

function pairsOf(count: number): number {
  return (count * (count - 1)) / 2
}

function mean(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

/** Two columns; a content with commas or quotes is quoted, its quotes doubled. */
function readRows(csv: string): [string, string][] {
  const rows = csv.matchAll(/^(?:"((?:[^"]|"")*)"|([^",\n]*)),(E\d+)\r?$/gm)
  return [...rows].map(([, quoted, bare, event]) => [quoted?.replaceAll('""', '"') ?? bare ?? '', event!])
}
