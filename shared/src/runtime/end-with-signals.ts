import { EXIT } from './exit-codes.ts'
import type { Logger } from './log.ts'

/** Time to stop in, in ms, after which the process ends as it is: what was acknowledged is on disk already. */
const STOP_MAX_MS = 9_500

/**
 * Ties a service's end to the process: the first SIGINT, SIGTERM or SIGHUP stops it cleanly and exits 0, a second one exits at
 * once. A bug outside of any request ends the process with 70, to be started anew.
 */
export function endWithSignals(stopService: () => Promise<void>, log: Logger): void {
  let stopping = false
  const stop = (signal: string) => {
    if (stopping) process.exit(0)
    stopping = true
    const startedMs = performance.now()
    log.info({ code: 'stop.signal', signal }, 'stopping')
    setTimeout(() => process.exit(EXIT.software), STOP_MAX_MS).unref()
    stopService().then(
      () => {
        log.info({ code: 'stop.done', took_ms: Math.round(performance.now() - startedMs) }, 'stopped')
        process.exit(0)
      },
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
