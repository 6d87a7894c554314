import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import type { FuzzFailure } from './fuzz-messages.ts'
import { runFuzz } from './run-fuzz.ts'
import { runHttpFuzz } from './run-http-fuzz.ts'

/**
 * `npm run fuzz -- [--bodies 100000] [--seed 1] [--threads 2] [--only 4711] [--http]`: bodies of at most ten spans, changed at random, through
 * both decoders, admission, redaction and the index. A body that breaks a promise is made small, printed, and named by seed and number.
 * `--http` sends them to the running product instead, and compares its answers with what is stored.
 */
const { values } = parseArgs({
  options: {
    bodies: { type: 'string', default: '100000' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    threads: { type: 'string', default: String(availableParallelism()) },
    only: { type: 'string' },
    http: { type: 'boolean', default: false },
  },
})
const PRINT_EVERY_MS = 10_000
const BODY_SHOWN_MAX_CHARACTERS = 6_000

const seed = Number(values.seed)
const only = values.only === undefined ? null : Number(values.only)
const startMs = performance.now()
let printedMs = startMs

console.log(`seed ${seed}`)
if (values.http) await fuzzHttp()
else await fuzzInProcess()

async function fuzzInProcess(): Promise<void> {
  const summary = await runFuzz({
    seed,
    from: only ?? 0,
    to: only === null ? Number(values.bodies) : only + 1,
    threads: only === null ? Number(values.threads) : 1,
    onProgress,
    onFailure: printFailure,
  })
  const { bodies, seconds, counts, failures } = summary
  printSummary({ seed, ...rateOf(bodies, seconds), failures: failures.length, ...counts }, failures.length)
}

async function fuzzHttp(): Promise<void> {
  const { failures, bodies, seconds, ...rest } = await runHttpFuzz({ seed, bodies: Number(values.bodies), onProgress })
  for (const failure of failures) console.log(`\n${failure}`)
  printSummary({ seed, ...rateOf(bodies, seconds), failures: failures.length, ...rest }, failures.length)
}

function rateOf(bodies: number, seconds: number) {
  return { bodies, seconds: Math.round(seconds), bodies_per_s: Math.round(bodies / seconds) }
}

function printSummary(summary: object, failures: number): void {
  console.log(JSON.stringify(summary))
  process.exitCode = failures > 0 ? 1 : 0
}

function onProgress(bodies: number): void {
  if (performance.now() - printedMs < PRINT_EVERY_MS) return
  printedMs = performance.now()
  console.log(`${bodies} bodies, ${Math.round((bodies / (printedMs - startMs)) * 1000)}/s`)
}

function printFailure({ n, message, stack, what, body, isAlone }: FuzzFailure): void {
  console.log(`\nbroken by body ${n} (${what}): ${message}\n${stack}`)
  console.log(isAlone ? `again: npm run fuzz -- --seed ${seed} --only ${n}` : 'it takes the bodies before it in its block')
  console.log(`smallest: ${body.slice(0, BODY_SHOWN_MAX_CHARACTERS)}`)
}
