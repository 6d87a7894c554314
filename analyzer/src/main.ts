import { describeSettings } from '@loopkit/config/describe-settings'
import { readSettings } from '@loopkit/config/read-settings'
import { systemClock } from '@loopkit/shared/runtime/clock'
import { endWithSignals } from '@loopkit/shared/runtime/end-with-signals'
import { EXIT } from '@loopkit/shared/runtime/exit-codes'
import { createLogger } from '@loopkit/shared/runtime/log'
import { sizeYoungHeapsOfThreads } from '@loopkit/shared/runtime/thread-heaps'
import packageJson from '../package.json' with { type: 'json' }
import { explainExit } from './start/explain-exit.ts'
import { showSettings } from './start/show-settings.ts'
import { startAnalyzer } from './start/start-analyzer.ts'

/** Of the readers: a page of 1,000 records makes some 20 MB that die at once, and so does a diagnosis. */
const READER_SEMI_SPACE_MIB = 16

if (process.argv.includes('--help')) {
  console.log(
    `The analyzer of LoopKit. Settings (environment, or the file that LOOPKIT_SETTINGS_FILE names):\n${describeSettings()}`,
  )
} else {
  await main()
}

async function main(): Promise<void> {
  const isTerminal = process.stdout.isTTY === true
  // A closed log must not end the service.
  process.stdout.on('error', () => {})
  let dataDir = ''
  try {
    const settings = readSettings(process.env)
    sizeYoungHeapsOfThreads(READER_SEMI_SPACE_MIB)
    dataDir = settings.dataDir
    const log = createLogger({ service: 'analyzer', level: settings.logLevel, pretty: isTerminal })
    log.info({ code: 'start.settings', settings: showSettings(settings) })
    const running = await startAnalyzer({
      settings,
      clock: systemClock,
      log,
      pid: process.pid,
      version: packageJson.version,
      rehearses: true,
      showOnTerminal: isTerminal ? (text) => void process.stdout.write(`\n${text}`) : null,
    })
    log.info({ code: 'start.listening', url: running.url, version: packageJson.version }, 'the analyzer listens')
    endWithSignals(running.stop, log)
  } catch (error) {
    const { code, line } = explainExit(error, { dataDir })
    process.stderr.write(`loopkit analyzer: ${line}\n`)
    if (code === EXIT.software) console.error(error)
    process.exit(code)
  }
}
