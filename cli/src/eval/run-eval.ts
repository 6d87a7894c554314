import { writeFileSync } from 'node:fs'
import { completeCandidate } from '@loopkit/shared/eval-candidate/draft-assertions'
import type { ObservedRun } from '@loopkit/shared/eval-candidate/model'
import { CallError, type ClientOptions, call } from '../client.ts'
import { type ClientFlags, clientOptions } from '../client-options.ts'
import { ExitError } from '../exit-error.ts'
import { describeCases } from './describe-cases.ts'
import { EVAL_EXIT } from './eval-exit.ts'
import { type EvalCase, exportCases } from './export-cases.ts'
import { EXPORT_FILES, type ExportFormat } from './export-formats.ts'
import { frozenCase } from './freeze-case.ts'
import { type JudgedCase, judgeCase } from './judge-case.ts'
import { type CandidateHolder, casesOfAnswer, readCases } from './read-cases.ts'
import { readInput, readNewRun } from './read-new-run.ts'
import { createStoredRuns } from './stored-runs.ts'

export interface EvalFlags extends ClientFlags {
  file?: string
  run?: string
  passing?: string[]
  export?: ExportFormat
  out?: string
  provider?: string
  json?: boolean
}

/** Judges the candidates, prints what came of it, writes the export, and answers the exit code. */
export async function runEval(id: string | undefined, flags: EvalFlags): Promise<number> {
  const frozen = await frozenCases(id, flags)
  const newRun = flags.run === undefined ? null : { name: flags.run, run: readNewRun(flags.run) }
  const judged = frozen.map(({ evalCase, stored }) => judgeCase(evalCase, { stored, newRun }))
  console.log(flags.json ? JSON.stringify({ candidates: judged }, null, 2) : describeCases(judged))
  if (flags.export) {
    const cases = frozen.map(({ evalCase, stored }) => frozenCase(evalCase, stored))
    writeExport(flags.export, flags, cases)
  }
  return exitCodeOf(judged)
}

function writeExport(format: ExportFormat, { out, provider }: EvalFlags, cases: EvalCase[]): void {
  const path = out ?? EXPORT_FILES[format]
  writeFileSync(path, exportCases(format, cases, provider))
  console.error(`loopkit: written: ${path}`)
}

interface Frozen {
  evalCase: EvalCase
  stored: Map<string, ObservedRun | null>
}

/** The candidates with their runs: the frozen ones where the file holds them, else those that are stored. */
async function frozenCases(id: string | undefined, flags: EvalFlags): Promise<Frozen[]> {
  const options = clientOptions(flags)
  const cases = flags.file === undefined ? await fetchCases(id, options) : readFileCases(flags.file, id)
  const readStored = createStoredRuns(options)
  const passing = (flags.passing ?? []).map(readNewRun)
  const frozen: Frozen[] = []
  for (const one of cases) {
    const { must_fail_on, must_pass_on } = one.candidate
    const stored = new Map<string, ObservedRun | null>(one.examples.map(({ record_id, run }) => [record_id, run]))
    const isOffline = one.examples.length > 0
    for (const recordId of [...must_fail_on, ...(must_pass_on ?? [])]) {
      if (!isOffline && !stored.has(recordId)) stored.set(recordId, await refusable(readStored(recordId)))
    }
    const candidate = completeCandidate(one.candidate, stored.get(must_fail_on[0] ?? '') ?? null, passing)
    frozen.push({ evalCase: { ...one, candidate }, stored })
  }
  return frozen
}

function readFileCases(path: string, id: string | undefined): EvalCase[] {
  const cases = readCases(readInput(path)).filter(
    ({ pain_id, candidate }) => id === undefined || [pain_id, candidate.eval_id].includes(id),
  )
  if (cases.length === 0)
    throw new ExitError(EVAL_EXIT.noInput, `${path} holds no eval candidate${id === undefined ? '' : ` of ${id}`}`)
  return cases
}

async function fetchCases(id: string | undefined, options: ClientOptions): Promise<EvalCase[]> {
  if (id === undefined) throw new ExitError(2, 'name a pain (pain_…), a packet (pkt_…) or a --file')
  const path = id.startsWith('pkt_')
    ? `/v1/packets/${encodeURIComponent(id)}`
    : `/v1/pains/${encodeURIComponent(id)}?since_minutes=43200`
  const cases = casesOfAnswer(await refusable(call<CandidateHolder>(options, 'GET', path)))
  if (cases.length === 0)
    throw new ExitError(EVAL_EXIT.notTold, `${id} has no eval candidate: it shows no pain whose evidence is stored`)
  return cases
}

/** A refusal must not look like a run that came out wrong. */
async function refusable<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof CallError && error.status !== null) throw new ExitError(EVAL_EXIT.notTold, error.message)
    throw error
  }
}

function exitCodeOf(judged: readonly JudgedCase[]): number {
  if (judged.some(({ is_as_expected }) => is_as_expected === false)) return EVAL_EXIT.unexpected
  return judged.some(({ is_as_expected }) => is_as_expected === true) ? 0 : EVAL_EXIT.notTold
}
