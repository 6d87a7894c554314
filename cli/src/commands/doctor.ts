import { userInfo } from 'node:os'
import { acknowledgeDataLosses, DATABASES, type DataLoss, describeDataLoss } from '@loopkit/shared/database/guard/data-loss'
import type { Command } from 'commander'
import { addDataFolderOption, type DataFolderFlags, dataFolderOf } from '../data-folder-options.ts'
import { type Checkup, examine, type Finding } from '../doctor/examine.ts'
import { FOLDER_EXIT, toExitError } from '../exit-error.ts'

interface DoctorFlags extends DataFolderFlags {
  acknowledgeLoss?: boolean
  check?: boolean
  json?: boolean
}

/** `loopkit doctor`: what state an instance's files are in, and a person's word that a loss is known. */
export function addDoctor(program: Command): void {
  addDataFolderOption(program.command('doctor'))
    .description("look at an instance's files, running or not")
    .option('--acknowledge-loss', 'take note of commits that are gone, so that the service is ready again')
    .option('--check', 'read every page and every record')
    .option('--json', 'print what was found as JSON')
    .action((flags: DoctorFlags) => {
      const dataDir = dataFolderOf(flags)
      if (flags.acknowledgeLoss) acknowledge(dataDir)
      const checkup = examineOrExit(dataDir, flags.check === true)
      console.log(flags.json ? JSON.stringify(checkup, null, 2) : describe(checkup))
      process.exitCode = exitCodeOf(checkup.findings)
    })
}

function acknowledge(dataDir: string): void {
  const by = userInfo().username
  const at = new Date().toISOString()
  const acknowledged = DATABASES.flatMap((database) => {
    try {
      return acknowledgeDataLosses(dataDir, database, at, by)
    } catch (error) {
      throw toExitError(error)
    }
  })
  for (const loss of acknowledged) console.error(`loopkit: taken note of by ${by}: ${describeDataLoss(loss)}`)
  if (acknowledged.length === 0) console.error('loopkit: there is no loss that nobody has taken note of')
}

function examineOrExit(dataDir: string, isThorough: boolean): Checkup {
  try {
    return examine(dataDir, isThorough, Date.now())
  } catch (error) {
    throw toExitError(error)
  }
}

function exitCodeOf(findings: readonly Finding[]): number {
  if (findings.some(({ kind }) => kind === 'damaged')) return FOLDER_EXIT.damaged
  return findings.some(({ kind }) => kind === 'loss') ? FOLDER_EXIT.loss : 0
}

function describe({ data_dir, services, databases, losses, findings }: Checkup): string {
  const running = Object.entries(services).map(([name, runs]) => `${name.padEnd(16)}${runs ? 'runs' : 'does not run'}`)
  const files = databases.map(
    ({ name, mb, log_mb, schema, last_commit, last_at }) =>
      `${name.padEnd(16)}${mb} MB, log ${log_mb} MB, schema ${schema}, ${last_commit} ${name === 'control.db' ? 'changes' : 'commits'} until ${last_at ?? 'never'}`,
  )
  const known = losses.map((loss) => `loss            ${describeDataLoss(loss)} (${seenBy(loss)})`)
  const found = findings.map(({ kind, text }) => `${kind.padEnd(16)}${text}`)
  return [
    `data folder     ${data_dir}`,
    ...running,
    ...files,
    ...known,
    ...(found.length > 0 ? found : ['nothing is wrong']),
  ].join('\n')
}

function seenBy({ acknowledged_at, acknowledged_by }: DataLoss): string {
  return acknowledged_at === null ? 'nobody has taken note of it' : `noted by ${acknowledged_by} at ${acknowledged_at}`
}
