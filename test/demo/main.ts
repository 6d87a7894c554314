import { parseArgs } from 'node:util'
import { describeDemo } from './print-demo.ts'
import { runDemo } from './run-demo.ts'
import { isFailed } from './score.ts'

const HELP = `npm run demo -- [--seed N] [--traces N] [--faults all|none] [--truth FILE]
Starts a product of its own on free ports, lets a small shop and a support agent run against it with planted faults,
and says which of them the diagnosis found. Exit code 1 when a planted fault was missed, when the circumstances it was planted under
are not among its first three contrasts, or when something above severity low was named that nobody planted.`

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    traces: { type: 'string', default: '5000' },
    faults: { type: 'string', default: 'all' },
    truth: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})
const seed = Number(values.seed)
const traces = Number(values.traces)
if (values.help || !Number.isSafeInteger(seed) || !Number.isSafeInteger(traces) || !/^(all|none)$/.test(values.faults)) {
  console.log(HELP)
  process.exit(values.help ? 0 : 64)
}

const startedMs = performance.now()
const result = await runDemo({
  seed,
  traces,
  faults: values.faults as 'all' | 'none',
  truthPath: values.truth,
  onStep: (what) => console.log(`${((performance.now() - startedMs) / 1000).toFixed(1).padStart(5)} s  ${what}`),
})
console.log(describeDemo(result, (performance.now() - startedMs) / 1000))
process.exit(isFailed(result.score) ? 1 : 0)
