import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { expect, test } from '@jest/globals'
import { type ContrastCell, explainFailures } from './explain-failures.ts'

const folder = join(process.cwd(), '..', 'shared', 'data', 'rs')
const hasData = existsSync(folder)
if (!hasData) console.warn(`${folder} is not there: explanations are not measured on known causes`)

interface Label {
  data: string
  timestamp: number
  cause: Record<string, string | number> | Record<string, string | number>[]
}

/** Two files are named otherwise than their labels. */
function fileOf(name: string): string {
  const plain = (text: string) => text.replaceAll(/[+_ ]/g, '_')
  return readdirSync(folder).find((file) => plain(file) === `${plain(name)}.csv.gz`)!
}

/** What failed in the minute of the incident, and its causes, as sorted `attribute=value` lists. */
function readCase({ data, timestamp, cause }: Label): { cells: ContrastCell[]; attributes: string[]; causes: string[] } {
  const [head, ...lines] = gunzipSync(readFileSync(join(folder, fileOf(data))))
    .toString('utf8')
    .trim()
    .split(/\r?\n/)
  const columns = head!.split(',')
  const attributes = columns.filter((name) => !['min', 'value', 'cnt'].includes(name))
  const rows = lines.map((line) => line.split(',')).filter((row) => Number(row[columns.indexOf('min')]) === timestamp)
  const at = (row: string[], name: string) => row[columns.indexOf(name)]!
  return {
    attributes,
    cells: rows.map((row) => ({
      values: attributes.map((name) => at(row, name)),
      failing: Number(at(row, 'value')),
      total: Number(at(row, 'cnt')),
    })),
    causes: [cause].flat().map((one) =>
      Object.entries(one)
        .map(([name, value]) => `${name}=${value}`)
        .sort()
        .join(' '),
    ),
  }
}

;(hasData ? test : test.skip)(
  'the known cause is the first explanation in 70 %, among the first three in 90 % of the incidents',
  () => {
    const labels = JSON.parse(readFileSync(join(folder, 'labels.json'), 'utf8')) as Label[]
    let first = 0
    let amongThree = 0
    const tookMs: number[] = []
    for (const label of labels) {
      const { cells, attributes, causes } = readCase(label)
      const start = performance.now()
      const found = explainFailures(cells, { explanationsMax: 3 }).map(({ conditions }) =>
        conditions
          .map(({ attribute, value }) => `${attributes[attribute]}=${value}`)
          .sort()
          .join(' '),
      )
      tookMs.push(performance.now() - start)
      if (causes.includes(found[0]!)) first++
      amongThree += causes.filter((cause) => found.includes(cause)).length / causes.length
    }
    console.log(
      `recall at 1 ${(first / labels.length).toFixed(3)}, at 3 ${(amongThree / labels.length).toFixed(3)}, median ${tookMs.sort((a, b) => a - b)[labels.length >> 1]!.toFixed(1)}, slowest ${tookMs.at(-1)!.toFixed(0)} ms`,
    )
    expect(first / labels.length).toBeGreaterThanOrEqual(0.7)
    expect(amongThree / labels.length).toBeGreaterThanOrEqual(0.9)
  },
)
