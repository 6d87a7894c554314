import { tunedProcess } from '@loopkit/shared/runtime/tune-process'

const tuned = tunedProcess(process, process.env)
// The same process goes on: id, files and parent stay as they are. Everything else is imported only then.
if (tuned) process.execve?.(tuned.execPath, tuned.args, tuned.env)
const { runCollector } = await import('./collector-main.ts')
await runCollector()
