import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type ContrastCell, explainFailures } from '../../analyzer/src/domain/contrast/explain-failures.ts'
import { type Measure, mean } from './measure.ts'
import { NothingToMeasure, readJsonSet, readText } from './read-set.ts'

interface Label {
  data: string
  timestamp: number
  cause: Record<string, string | number> | Record<string, string | number>[]
}

const ANSWERS_MAX = 3
const CASE_MS_MAX = 20

/** Incidents with a known cause: is it the first explanation, is it among three. */
export function measureKnownCauses(folder: string): Measure {
  const labels = readJsonSet(join(folder, 'labels.json')) as Label[]
  const located = labels.flatMap((label) => {
    const file = fileOf(folder, label.data)
    const read = file && readCase(join(folder, file), label)
    return read && read.cells.length > 0 && read.causes.length > 0 ? [read] : []
  })
  if (located.length === 0) throw new NothingToMeasure(`none of ${labels.length} labels has a file with its minute`)
  const cases = located.map(({ cells, attributes, causes }) => {
    const start = performance.now()
    const found = explainFailures(cells, { explanationsMax: ANSWERS_MAX }).map(({ conditions }) =>
      inOrder(conditions.map(({ attribute, value }) => `${attributes[attribute]}=${value}`)),
    )
    const tookMs = performance.now() - start
    return {
      isFirst: causes.includes(found[0]!),
      amongThree: causes.filter((cause) => found.includes(cause)).length / causes.length,
      tookMs,
    }
  })
  const tookMs = cases.map((one) => one.tookMs).sort((a, b) => a - b)
  return {
    name: 'which attributes explain it',
    published: 'RobustSpot R@3 .902; share difference .629/.839; excess log-likelihood .657/.888',
    figures: [
      { name: 'R@1', value: mean(cases.map(({ isFirst }) => Number(isFirst))), target: { atLeast: 0.7 } },
      { name: 'R@3', value: mean(cases.map(({ amongThree }) => amongThree)), target: { atLeast: 0.9 } },
      { name: 'ms a case, median', value: tookMs[tookMs.length >> 1]!, target: { atMost: CASE_MS_MAX } },
    ],
    note: `${cases.length} incidents${missing(labels.length - cases.length)}; slowest ${tookMs.at(-1)!.toFixed(0)} ms`,
  }
}

const missing = (count: number) => (count === 0 ? '' : `, ${count} labels without a file or its minute left out`)

/** What failed in the minute of the incident, and its causes, as sorted `attribute=value` lists. */
function readCase(path: string, { timestamp, cause }: Label): { cells: ContrastCell[]; attributes: string[]; causes: string[] } {
  const [head, ...lines] = readText(path).trim().split(/\r?\n/)
  const columns = head!.split(',')
  const attributes = columns.filter((name) => !['min', 'value', 'cnt'].includes(name))
  const at = (row: string[], name: string) => row[columns.indexOf(name)]!
  const rows = lines.map((line) => line.split(',')).filter((row) => Number(at(row, 'min')) === Number(timestamp))
  return {
    attributes,
    cells: rows.map((row) => ({
      values: attributes.map((name) => at(row, name)),
      failing: Number(at(row, 'value')),
      total: Number(at(row, 'cnt')),
    })),
    causes: [cause ?? []].flat().map((one) => inOrder(Object.entries(one).map(([name, value]) => `${name}=${value}`))),
  }
}

const inOrder = (conditions: string[]) => conditions.sort().join(' ')

/** Some files are named otherwise than their labels: `+`, `_` and a space are one there, and the folder need not pack them. */
function fileOf(folder: string, name: string): string | undefined {
  const plain = (text: string) => text.replace(/\.csv(?:\.gz)?$/, '').replaceAll(/[+_ ]/g, '_')
  return readdirSync(folder).find((file) => /\.csv(?:\.gz)?$/.test(file) && plain(file) === plain(name))
}
