import { Command, CommanderError } from 'commander'
import { CallError } from './client.ts'
import { addBackup, addRestore } from './commands/backup.ts'
import { addDiagnose } from './commands/diagnose.ts'
import { addDoctor } from './commands/doctor.ts'
import { addEval } from './commands/eval.ts'
import { addProvision } from './commands/provision.ts'
import { addRun } from './commands/run.ts'
import { addUp } from './commands/up.ts'
import { ExitError } from './exit-error.ts'

/** Exit codes of the client commands: 1 the analyzer refused, 3 it was not reached (2 is the shell's word for misuse). */
const REFUSED = 1
const NOT_REACHED = 3
/** As the services say it of their data folder. */
const NOT_WRITTEN = 77

const program = new Command('loopkit')
  .description('telemetry in, diagnosed pains out; people approve')
  .version('0.1.0')
  .exitOverride()
for (const add of [addUp, addProvision, addDiagnose, addRun, addEval, addBackup, addRestore, addDoctor]) add(program)

try {
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2
  else if (error instanceof ExitError) {
    console.error(`loopkit: ${error.message}`)
    process.exitCode = error.exitCode
  } else if (error instanceof CallError) {
    console.error(`loopkit: ${error.message}`)
    process.exitCode = error.status === null ? NOT_REACHED : REFUSED
  } else if (isFileError(error)) {
    console.error(`loopkit: ${error.message}`)
    process.exitCode = NOT_WRITTEN
  } else throw error
}

/** A file or folder that cannot be read or written: a line says which, a stack trace would not help. */
function isFileError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error && 'path' in error
}
