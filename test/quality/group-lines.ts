import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { templateOf } from '@loopkit/shared/signals/template'
import { mulberry32, seedOf, shuffled } from '../demo/random.ts'
import { type Measure, mean } from './measure.ts'
import { NothingToMeasure, readJsonSet, readText } from './read-set.ts'

/** Parts that a shard is cut into: lines of one event then meet in no process. */
const SHARDS = 7

interface Row {
  content: string
  event: string
}

interface Grouping {
  groupAccuracy: number
  groupF1: number
  pairPrecision: number
  /** Lines whose group has the same members when lines come in another order, or to several processes. */
  stable: number
}

/** Messages of public logs, put together by their template, against the groups that people made. */
export function measureTemplates(folder: string): Measure {
  const files = readdirSync(folder).filter((name) => /\.csv(?:\.gz)?$/.test(name))
  const systems = files.sort().map((name) => ({ name, rows: readRows(readText(join(folder, name))) }))
  const labelled = systems.filter(({ rows }) => rows.length > 0)
  if (labelled.length === 0)
    throw new NothingToMeasure(`no file with the columns Content and EventId among ${files.length} CSV files`)
  const measured = labelled.map(({ name, rows }) => groupingOf(rows, name))
  const over = (of: keyof Grouping) => mean(measured.map((one) => one[of]))
  return {
    name: 'message templates',
    published:
      'Drain3, one configuration: GA .73–.77; Drain, tuned for each system: GA .865, FGA .75; stateless key with merge .892/.92',
    figures: [
      { name: 'GA', value: over('groupAccuracy'), target: { atLeast: 0.9 } },
      { name: 'FGA', value: over('groupF1'), target: { atLeast: 0.9 } },
      { name: 'pair precision', value: over('pairPrecision'), target: { atLeast: 0.99 } },
      { name: 'lines that stay in their group under shuffle and shard', value: over('stable'), target: { atLeast: 1 } },
    ],
    note: `${labelled.length} systems, one configuration; GA of each: ${labelled.map(({ name }, at) => `${name.split(/[_.]/)[0]} ${measured[at]!.groupAccuracy.toFixed(3)}`).join(', ')}`,
  }
}

/** Pairs of messages that must share a template, or must not. */
export function measurePairs(path: string): Measure {
  const pairs = readJsonSet(path) as { must: boolean; a: string; b: string }[]
  const sides = [
    { name: 'put together', must: true },
    { name: 'kept apart', must: false },
  ].map((side) => ({ ...side, own: pairs.filter(({ must }) => must === side.must) }))
  if (pairs.length === 0) throw new NothingToMeasure('no pair in it')
  return {
    name: 'must-group / must-split',
    published: 'stateless key .968/.994; Drain3 masks .476/.997',
    figures: sides
      .filter(({ own }) => own.length > 0)
      .map(({ name, must, own }) => ({
        name,
        value: mean(own.map(({ a, b }) => Number((templateOf(a) === templateOf(b)) === must))),
        target: { atLeast: 0.99 },
      })),
    note: `${pairs.length} pairs`,
  }
}

function groupingOf(rows: readonly Row[], name: string): Grouping {
  const truth = groupBy(rows.map(({ event }) => event))
  const ours = groupBy(rows.map(({ content }) => templateOf(content)))
  const trueGroups = new Set([...truth.values()].map(String))
  const exact = [...ours.values()].filter((lines) => trueGroups.has(String(lines)))
  const together = [...ours.values()].map((lines) => pairsOf(lines.length))
  const rightly = [...ours.values()].flatMap((lines) =>
    [...groupBy(lines.map((line) => rows[line]!.event)).values()].map((same) => pairsOf(same.length)),
  )
  return {
    groupAccuracy: sum(exact.map((lines) => lines.length)) / rows.length,
    groupF1: (2 * exact.length) / (ours.size + truth.size),
    pairPrecision: sum(rightly) / sum(together),
    stable: stableShare(rows, ours, name),
  }
}

/** The same lines in an order drawn from the file's name, dealt to several groupings that are put together afterwards. */
function stableShare(rows: readonly Row[], ours: ReadonlyMap<string, number[]>, name: string): number {
  const order = shuffled(mulberry32(seedOf(name)), [...rows.keys()])
  const again = new Map<string, number[]>()
  for (let shard = 0; shard < SHARDS; shard++) {
    const lines = order.filter((_, at) => at % SHARDS === shard)
    for (const [key, at] of groupBy(lines.map((line) => templateOf(rows[line]!.content))))
      again.set(key, [...(again.get(key) ?? []), ...at.map((one) => lines[one]!)])
  }
  const groups = new Set([...again.values()].map((lines) => String(lines.sort((a, b) => a - b))))
  return sum([...ours.values()].filter((lines) => groups.has(String(lines))).map((lines) => lines.length)) / rows.length
}

function groupBy(keys: readonly string[]): Map<string, number[]> {
  const groups = new Map<string, number[]>()
  for (const [at, key] of keys.entries()) {
    const group = groups.get(key)
    if (group) group.push(at)
    else groups.set(key, [at])
  }
  return groups
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)
const pairsOf = (count: number) => (count * (count - 1)) / 2

/** By the names of the columns, whichever others there are; lines without a label are left out. */
function readRows(csv: string): Row[] {
  const [head, ...lines] = readCsv(csv)
  const [content, event] = [head?.indexOf('Content') ?? -1, head?.indexOf('EventId') ?? -1]
  if (content < 0 || event < 0) return []
  return lines.flatMap((line) => (line[event] ? [{ content: line[content]!, event: line[event]! }] : []))
}

/** A cell with commas, quotes or line ends is quoted, its quotes doubled. */
function readCsv(csv: string): string[][] {
  const lines: string[][] = [[]]
  for (const [, quoted, bare, end] of csv.replace(/^\uFEFF/, '').matchAll(/(?:"((?:[^"]|"")*)"|([^,\r\n]*))(,|\r?\n|$)/g)) {
    lines.at(-1)!.push(quoted?.replaceAll('""', '"') ?? bare ?? '')
    if (end === '') break
    if (end !== ',') lines.push([])
  }
  return lines.filter((cells) => cells.length > 1)
}
