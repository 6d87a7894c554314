import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { type ContrastCell, explainFailures } from '../../analyzer/src/domain/contrast/explain-failures.ts'
import { type Measure, mean } from './measure.ts'

interface Label {
  data: string
  timestamp: number
  cause: Record<string, string | number> | Record<string, string | number>[]
}

const ANSWERS_MAX = 3
const CASE_MS_MAX = 20

/** Incidents with a known cause: is it the first explanation, is it among three. */
export function measureKnownCauses(folder: string): Measure {
  const labels = JSON.parse(readFileSync(join(folder, 'labels.json'), 'utf8')) as Label[]
  const cases = labels.map((label) => {
    const { cells, attributes, causes } = readCase(folder, label)
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
    note: `${cases.length} incidents; slowest ${tookMs.at(-1)!.toFixed(0)} ms`,
  }
}

/** What failed in the minute of the incident, and its causes, as sorted `attribute=value` lists. */
function readCase(
  folder: string,
  { data, timestamp, cause }: Label,
): { cells: ContrastCell[]; attributes: string[]; causes: string[] } {
  const text = gunzipSync(readFileSync(join(folder, fileOf(folder, data)))).toString('utf8')
  const [head, ...lines] = text.trim().split(/\r?\n/)
  const columns = head!.split(',')
  const attributes = columns.filter((name) => !['min', 'value', 'cnt'].includes(name))
  const at = (row: string[], name: string) => row[columns.indexOf(name)]!
  const rows = lines.map((line) => line.split(',')).filter((row) => Number(at(row, 'min')) === timestamp)
  return {
    attributes,
    cells: rows.map((row) => ({
      values: attributes.map((name) => at(row, name)),
      failing: Number(at(row, 'value')),
      total: Number(at(row, 'cnt')),
    })),
    causes: [cause].flat().map((one) => inOrder(Object.entries(one).map(([name, value]) => `${name}=${value}`))),
  }
}

const inOrder = (conditions: string[]) => conditions.sort().join(' ')

/** Two files are named otherwise than their labels. */
function fileOf(folder: string, name: string): string {
  const plain = (text: string) => text.replaceAll(/[+_ ]/g, '_')
  return readdirSync(folder).find((file) => plain(file) === `${plain(name)}.csv.gz`)!
}
