import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import type { FuzzFailure } from './fuzz-messages.ts'
import { runFuzz } from './run-fuzz.ts'

/**
 * `npm run fuzz -- [--bodies 100000] [--seed 1] [--threads 2] [--only 4711]`: bodies of at most ten spans, changed at random, through
 * both decoders, admission, redaction and the index. A body that breaks a promise is made small, printed, and named by seed and number.
 */
const { values } = parseArgs({
  options: {
    bodies: { type: 'string', default: '100000' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    threads: { type: 'string', default: String(availableParallelism()) },
    only: { type: 'string' },
  },
})
const PRINT_EVERY_MS = 10_000
const BODY_SHOWN_MAX_CHARACTERS = 6_000

const seed = Number(values.seed)
const only = values.only === undefined ? null : Number(values.only)
const startMs = performance.now()
let printedMs = startMs

console.log(`seed ${seed}`)
const summary = await runFuzz({
  seed,
  from: only ?? 0,
  to: only === null ? Number(values.bodies) : only + 1,
  threads: only === null ? Number(values.threads) : 1,
  onProgress(bodies) {
    if (performance.now() - printedMs < PRINT_EVERY_MS) return
    printedMs = performance.now()
    console.log(`${bodies} bodies, ${Math.round((bodies / (printedMs - startMs)) * 1000)}/s`)
  },
})
for (const failure of summary.failures) printFailure(failure)
const { bodies, seconds, counts, failures } = summary
console.log(
  JSON.stringify({
    seed,
    bodies,
    seconds: Math.round(seconds),
    bodies_per_s: Math.round(bodies / seconds),
    failures: failures.length,
    ...counts,
  }),
)
process.exitCode = failures.length > 0 ? 1 : 0

function printFailure({ n, message, stack, what, body, isAlone }: FuzzFailure): void {
  console.log(`\nbroken by body ${n} (${what}): ${message}\n${stack}`)
  console.log(isAlone ? `again: npm run fuzz -- --seed ${seed} --only ${n}` : 'it takes the bodies before it in its block')
  console.log(`smallest: ${body.slice(0, BODY_SHOWN_MAX_CHARACTERS)}`)
}
