import { type Command, Option } from 'commander'
import { addClientOptions } from '../client-options.ts'
import { EXPORT_FILES, EXPORT_FORMATS } from '../eval/export-formats.ts'
import type { EvalFlags } from '../eval/run-eval.ts'

const HELP = `
A candidate must fail on the evidence it was drafted from and pass on its healthy twins; a new run must pass.

A run (--run, --passing; - is the standard input) is OTLP in JSON, chat messages in JSON, {"output", "tool_calls"} in JSON, or
any other text, which is taken as the output.

Exit codes
  0   every run that could be told came out as it must
  1   one did not
  2   misuse
  3   the analyzer was not reached
  4   nothing could be told, or there is no such candidate
  66  a file is missing, or holds no candidate`

/** `loopkit eval`: runs eval candidates against what is stored and against a new run, or writes them for another tool. */
export function addEval(program: Command): void {
  addClientOptions(program.command('eval'))
    .description('run eval candidates: must fail on the evidence, pass on healthy twins, pass on a new run')
    .argument('[id]', 'pain (pain_…) or packet (pkt_…) whose candidates are run')
    .option(
      '--file <path>',
      'candidates from a file: an export, eval.json of `loopkit run`, or a packet; with frozen runs none are fetched',
    )
    .option('--run <path>', 'a new run, which must pass')
    .option('--passing <path...>', 'healthy runs of the same request: completes a candidate that lacks one')
    .addOption(new Option('--export <format>', 'write the candidates with their runs frozen').choices(EXPORT_FORMATS))
    .option('--out <path>', `file of the export (default ${Object.values(EXPORT_FILES).join(', ')})`)
    .option('--provider <id>', 'what promptfoo is to call for a new run; without it the export tests the frozen runs alone')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', HELP)
    .action(async (id: string | undefined, flags: EvalFlags) => {
      // Loaded only here: the other commands, one of which stays for as long as the product runs, need no judge of traces.
      const { runEval } = await import('../eval/run-eval.ts')
      process.exitCode = await runEval(id, flags)
    })
}
