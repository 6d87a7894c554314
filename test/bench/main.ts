import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, homedir, release, totalmem } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { whyNoShim } from '../faults/fault-shim.ts'
import { projectRoot } from '../harness/service-process.ts'
import { BENCH_CASES, type BenchCase } from './bench-cases.ts'
import { type DecodeOnly, measureDecoding } from './decode-only.ts'
import { type DiagnoseFigures, runDiagnoseCase } from './diagnose/diagnose-case.ts'
import { MIXES, whyNoMix } from './mixes.ts'
import { type BenchResult, benchMarkdown } from './report.ts'
import { type CaseRun, runCase, type ServerName } from './run-case.ts'
import { findOtelcol } from './start-otelcol.ts'
import { runStoreCase, type StoreFigures } from './store-case.ts'

/**
 * `npm run bench -- [--quick] [--only protobuf,json] [--case store|diagnose] [--rounds 3] [--seconds 6] [--profile <folder>] [--save]`: the product under load, against
 * the OpenTelemetry Collector in the same run. Prints each run as a line of JSON, then the tables. `--save` writes them to
 * test/bench/results and docs/generated/bench.md.
 */
const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    case: { type: 'string' },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    'no-controls': { type: 'boolean', default: false },
    'store-spans': { type: 'string', default: '5000000' },
    'store-gb': { type: 'string', default: '1' },
    'diagnose-spans': { type: 'string', default: '100000,10000000' },
    profile: { type: 'string' },
    save: { type: 'boolean', default: false },
  },
})

const DECODE_MS = 3_000
const isStoreOnly = values.case === 'store'
const isDiagnoseOnly = values.case === 'diagnose' || values.only === 'diagnose'
const wanted = (isDiagnoseOnly ? undefined : (values.only ?? (values.case && !isStoreOnly ? values.case : undefined)))?.split(',')
const rounds = Number(values.rounds ?? (values.quick ? 1 : 3))
const warmUpMs = values.quick ? 500 : 1_000
const forMs = Number(values.seconds ?? (values.quick ? 2 : 5)) * 1000
const startedAt = new Date()
const nowNano = BigInt(startedAt.getTime()) * 1_000_000n
const leftOut: string[] = []

function chosenCases(): BenchCase[] {
  if (isStoreOnly || isDiagnoseOnly) return []
  const matches = (name: string) =>
    wanted!.some((one) => name === one || (one.endsWith('*') && name.startsWith(one.slice(0, -1))))
  const cases = BENCH_CASES.filter(({ name, quick }) => (wanted ? matches(name) : !values.quick || quick))
  if (cases.length === 0)
    throw new Error(`no such case; one of ${BENCH_CASES.map(({ name }) => name).join(', ')}, store, diagnose`)
  const shimMissing = whyNoShim()
  return cases.filter(({ name, mix, syncDelayMs }) => {
    const missing = whyNoMix(mix) ?? (syncDelayMs > 0 ? shimMissing : null)
    if (missing !== null) leftOut.push(`${name} (${missing})`)
    return missing === null
  })
}

function findControl(): string | null {
  if (values['no-controls'] || isStoreOnly || isDiagnoseOnly) return null
  const found = findOtelcol(process.env, join(homedir(), '.cache'))
  if ('path' in found) return found.path
  leftOut.push(`the OpenTelemetry Collector (${found.missing})`)
  return null
}

async function runAll(cases: readonly BenchCase[], otelcol: string | null): Promise<CaseRun[]> {
  const runs: CaseRun[] = []
  for (const bench of cases) {
    const count = bench.isTarget || wanted !== undefined ? rounds : 1
    for (let round = 1; round <= count; round++) {
      for (const server of ['loopkit', ...controlsOf(bench, round, otelcol)] satisfies ServerName[]) {
        const options = { round, warmUpMs, forMs, env: process.env, otelcol, profileDir: values.profile ?? null, nowNano }
        const run = await runCase(bench, server, options)
        console.log(JSON.stringify(run))
        runs.push(run)
      }
    }
  }
  return runs
}

/** What does not depend on the product need not be measured in every round, nor with every case of the short run. */
function controlsOf({ name, controls }: BenchCase, round: number, otelcol: string | null): ServerName[] {
  if (values['no-controls']) return []
  const isCeilingDue = round === 1 && (!values.quick || name === 'protobuf')
  return controls.filter((control) => (control === 'drop' || otelcol !== null) && (control === 'queue' || isCeilingDue))
}

function decodeOnly(): DecodeOnly[] {
  if (isStoreOnly || isDiagnoseOnly || (wanted && !wanted.includes('decode'))) return []
  return MIXES.filter((mix) => whyNoMix(mix) === null).flatMap((mix) =>
    measureDecoding(mix, values.quick ? DECODE_MS / 6 : DECODE_MS, nowNano),
  )
}

async function store(): Promise<StoreFigures | null> {
  if (isDiagnoseOnly || (!isStoreOnly && (wanted !== undefined || values.quick))) return null
  if (whyNoMix('capture') !== null) return null
  const options = { spans: Number(values['store-spans']), killedWithBytes: Number(values['store-gb']) * 1e9 }
  return runStoreCase({ ...options, env: process.env, nowNano, print: (line) => console.log(`store: ${line}`) })
}

/** Not part of a full run: making the larger store takes minutes. */
function diagnose(): Promise<DiagnoseFigures[]> | [] {
  if (!isDiagnoseOnly) return []
  const sizes = values['diagnose-spans'].split(',').map(Number)
  return runDiagnoseCase({ sizes, forMs, env: process.env, print: (line) => console.log(`diagnose: ${line}`) })
}

const git = (...args: string[]): string => {
  try {
    return execFileSync('git', args, { cwd: projectRoot, encoding: 'utf8' }).trim()
  } catch {
    return ''
  }
}

function describeMachine(): BenchResult['machine'] {
  const [cpu] = cpus()
  return {
    cpu: cpu?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memory_gb: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
  }
}

const startedMs = performance.now()
const onlyDecode = wanted?.length === 1 && wanted[0] === 'decode'
const cases = onlyDecode ? [] : chosenCases()
const runs = await runAll(cases, findControl())
const result: BenchResult = {
  machine: describeMachine(),
  node: process.version,
  commit: git('rev-parse', '--short', 'HEAD'),
  dirty: git('status', '--porcelain', '--untracked-files=no') !== '',
  started_at: startedAt.toISOString(),
  rounds,
  left_out: leftOut,
  decode_only: decodeOnly(),
  runs,
  store: await store(),
  diagnose: await diagnose(),
  seconds: 0,
}
result.seconds = Math.round((performance.now() - startedMs) / 1000)
console.log(`\n${benchMarkdown(result)}`)
if (values.save) {
  save(
    join(projectRoot, 'test', 'bench', 'results', `${startedAt.toISOString().slice(0, 10)}-${result.commit}.json`),
    `${JSON.stringify(result, null, 2)}\n`,
  )
  save(join(projectRoot, 'docs', 'generated', 'bench.md'), benchMarkdown(result))
}

function save(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
  console.log(`written: ${path}`)
}
