import { flushCompileCache } from 'node:module'
import { availableParallelism } from 'node:os'
import { describeSettings } from '@loopkit/config/describe-settings'
import { readSettings } from '@loopkit/config/read-settings'
import { systemClock } from '@loopkit/shared/runtime/clock'
import { endWithSignals } from '@loopkit/shared/runtime/end-with-signals'
import { EXIT } from '@loopkit/shared/runtime/exit-codes'
import { createLogger, type Logger } from '@loopkit/shared/runtime/log'
import packageJson from '../package.json' with { type: 'json' }
import { explainExit } from './start/explain-exit.ts'
import { startCollector } from './start/start-collector.ts'

/** A decoder per two processors: the writer and the main thread need theirs. */
const DECODERS_MAX = 4

export async function runCollector(): Promise<void> {
  if (process.argv.includes('--help')) {
    console.log(
      `The collector of LoopKit. Settings (environment, or the file that LOOPKIT_SETTINGS_FILE names):\n${describeSettings()}`,
    )
    return
  }
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
      version: packageJson.version,
      random: Math.random,
      warmsUp: true,
      decodeWorkers: Math.max(1, Math.min(DECODERS_MAX, Math.floor(availableParallelism() / 2))),
      onFatal: (exitCode, error) => endOnFatal(log, exitCode, error),
    })
    log.info(
      {
        code: 'start.listening',
        otlp_http_port: running.port,
        otlp_grpc_port: running.grpcPort,
        host: settings.host,
        version: packageJson.version,
      },
      'the collector listens',
    )
    endWithSignals(running.stop, log)
    // A crash must not find the cache empty: Node itself writes it at a clean end only.
    flushCompileCache()
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
