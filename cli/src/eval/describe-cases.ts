import { printable } from '../printable.ts'
import type { JudgedCase, JudgedRun } from './judge-case.ts'

/** What came of each candidate, for people. What is quoted comes from telemetry or from a file: control characters are shown as such. */
export function describeCases(cases: readonly JudgedCase[]): string {
  return cases.map(describeCase).join('\n\n')
}

function describeCase({ eval_id, pain_id, status, missing, evidence, healthy, new_run, is_as_expected }: JudgedCase): string {
  const end = is_as_expected === null ? 'CANNOT BE TOLD' : is_as_expected ? 'AS EXPECTED' : 'NOT AS EXPECTED'
  const state = status === 'complete' ? '' : `, incomplete: lacks ${missing.join(', ')}`
  const lines = [
    `${end}  ${eval_id}${pain_id === null ? '' : ` of ${pain_id}`}${state}`,
    ...lineOfMany('evidence', 'fail', evidence),
    ...lineOfMany('healthy twins', 'pass', healthy),
    ...(new_run === null ? [] : [`  ${'new run'.padEnd(15)}${new_run.verdict}`, ...reasons(new_run)]),
  ]
  return lines.map(printable).join('\n')
}

function lineOfMany(name: string, expected: 'fail' | 'pass', runs: readonly JudgedRun[]): string[] {
  if (runs.length === 0) return [`  ${name.padEnd(15)}none known`]
  const count = (wanted: JudgedRun['verdict']) => runs.filter(({ verdict }) => verdict === wanted).length
  const rest = [
    ...(count('gone') > 0 ? [`${count('gone')} no longer stored`] : []),
    ...(count('not_told') > 0 ? [`${count('not_told')} cannot be told`] : []),
  ]
  const head = `${count(expected)} of ${runs.length} ${expected}, as they must`
  const wrong = runs.filter(({ verdict }) => verdict !== expected && verdict !== 'gone')
  return [
    `  ${name.padEnd(15)}${[head, ...rest].join(', ')}`,
    ...wrong.flatMap((run) => [`    ${run.run}: ${run.verdict}`, ...reasons(run)]),
  ]
}

function reasons({ assertions }: JudgedRun): string[] {
  return assertions.map(({ kind, target, result, why }) => `      ${result.padEnd(9)}${kind} (${target}): ${why}`)
}
