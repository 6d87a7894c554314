import { availableParallelism } from 'node:os'
import { describeSettings } from '@loopkit/config/describe-settings'
import { readSettings } from '@loopkit/config/read-settings'
import { systemClock } from '@loopkit/shared/runtime/clock'
import { EXIT } from '@loopkit/shared/runtime/exit-codes'
import { createLogger, type Logger } from '@loopkit/shared/runtime/log'
import { explainExit } from './start/explain-exit.ts'
import { type RunningCollector, startCollector } from './start/start-collector.ts'

/** A decoder per two processors: the writer and the main thread need theirs. */
const DECODERS_MAX = 4
/** Time to stop in, after which the process ends as it is: what was acknowledged is on disk already. */
const STOP_MAX_MS = 9_500

if (process.argv.includes('--help')) {
  console.log(
    `The collector of LoopKit. Settings (environment, or the file that LOOPKIT_SETTINGS_FILE names):\n${describeSettings()}`,
  )
} else {
  await main()
}

async function main(): Promise<void> {
  // A closed log must not end the service.
  process.stdout.on('error', () => {})
  try {
    const settings = readSettings(process.env)
    const log = createLogger({ service: 'collector', level: settings.logLevel, pretty: process.stdout.isTTY === true })
    const running = await startCollector({
      settings,
      clock: systemClock,
      log,
      pid: process.pid,
      random: Math.random,
      decodeWorkers: Math.max(1, Math.min(DECODERS_MAX, Math.floor(availableParallelism() / 2))),
      onFatal: (exitCode, error) => endOnFatal(log, exitCode, error),
    })
    log.info({ code: 'start.listening', otlp_http_port: running.port, host: settings.host }, 'the collector listens')
    endWithSignals(running, log)
  } catch (error) {
    const { code, line } = explainExit(error, process.env.LOOPKIT_DATA_DIR ?? './data')
    process.stderr.write(`loopkit collector: ${line}\n`)
    if (code === EXIT.software) console.error(error)
    process.exit(code)
  }
}

/** Answers that are already on their way get one turn; nothing more is promised to anybody. */
function endOnFatal(log: Logger, exitCode: number, error: Error): void {
  log.fatal({ code: 'stop.fatal', err: error }, 'only a restart helps')
  setTimeout(() => process.exit(exitCode), 100)
}

/** The first signal stops cleanly, a second one at once. A bug outside of any request ends the process, to be started anew. */
function endWithSignals(running: RunningCollector, log: Logger): void {
  let stopping = false
  const stop = (signal: string) => {
    if (stopping) process.exit(0)
    stopping = true
    log.info({ code: 'stop.signal', signal }, 'stopping')
    setTimeout(() => process.exit(EXIT.software), STOP_MAX_MS).unref()
    running.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error({ code: 'stop.failed', err: error }, 'not everything stopped cleanly')
        process.exit(EXIT.software)
      },
    )
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop)
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (error: unknown) => {
      log.fatal({ code: 'stop.bug', err: error }, 'a bug ends the process')
      process.exit(EXIT.software)
    })
  }
}
