import type { VerdictFigures } from './false-verdicts.ts'
import { type Figure, isMet, type Measure, shortfall } from './measure.ts'

export interface QualityReport {
  /** Measured on other sets than those that lie beside the project. */
  isOther: boolean
  measures: readonly Measure[]
  /** Measures that lack their data, or that the product has no answer to. */
  notMeasured: readonly { name: string; published: string; target: string; why: string }[]
  verdicts: VerdictFigures
}

/** The whole table as markdown, which is also what a terminal shows. */
export function qualityMarkdown({ isOther, measures, notMeasured, verdicts }: QualityReport): string {
  return [
    '# How good the answers are',
    '',
    ...(isOther
      ? ['Measured on sets given with `--data`. One configuration for everything.']
      : [
          'Written by `npm run bench:quality -- --save`; do not edit. Measured on the half of each public set that this project was given:',
          'the other half is kept back, so expect somewhat less there. One configuration for everything.',
        ]),
    '',
    '| measure | figure | published | target | ours | |',
    '|---|---|---|---|---|---|',
    ...measures.flatMap(({ name, published, figures }) =>
      figures.map((figure, at) =>
        row([at ? '' : name, figure.name, at ? '' : published, aim(figure), ours(figure), standing(figure)]),
      ),
    ),
    ...notMeasured.map(({ name, published, target, why }) => row([name, '', published, target, '–', `not measured yet: ${why}`])),
    '',
    ...measures.filter(({ note }) => note).map(({ name, note }) => `- ${name}: ${note}`),
    '',
    ...verdictTable(verdicts),
    '',
  ].join('\n')
}

function verdictTable({ runs, seed, cells }: VerdictFigures): string[] {
  const share = (value: number) => (Number.isNaN(value) ? '–' : value.toFixed(3))
  return [
    '## Verdicts, simulated',
    '',
    `${runs} histories a cell, seed ${seed}: 20 windows of 50 runs before, a look after each window from the fourth to the twentieth,`,
    'each judged by the product. “False” said held, moved, worse or slipped at any look although nothing changed; “fixed” is one test at the last look',
    'that knows the dispersion (α .05, the same margin).',
    '',
    '| rate | rho | false | unchanged at the end | fall by half: held | fixed | ratio | without verdict, says runs needed |',
    '|---|---|---|---|---|---|---|---|',
    ...cells.map(({ still, fallen }) =>
      row([
        `${still.rate}`,
        `${still.rho}`,
        ...[
          still.changed,
          still.unchanged,
          fallen.held,
          fallen.fixedHeld,
          fallen.held / fallen.fixedHeld,
          fallen.saysRunsNeeded,
        ].map(share),
      ]),
    ),
  ]
}

const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`

function aim({ target }: Figure): string {
  if ('atLeast' in target) return `≥ ${plain(target.atLeast)}`
  return 'atMost' in target ? `≤ ${plain(target.atMost)}` : `< ${plain(target.below)}`
}

const ours = ({ value }: Figure) => plain(value)
const standing = (figure: Figure) => (isMet(figure) ? 'met' : `**missed by ${plain(shortfall(figure))}**`)

function plain(value: number): string {
  if (Number.isInteger(value)) return `${value}`
  return value < 1e-4 ? value.toExponential(0) : value.toFixed(value < 10 ? 3 : 1)
}
