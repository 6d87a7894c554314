import { createRequire } from 'node:module'
import { type DestinationStream, type Logger as PinoLogger, pino } from 'pino'
import type pinoPretty from 'pino-pretty'
import { createLineLimit } from './line-limit.ts'

export type Logger = PinoLogger

/** Names whose values never reach a log, at any depth pino looks (three levels). */
const SECRET_PATHS = [
  'authorization',
  'cookie',
  'key',
  'producer_key',
  'agent_key',
  'recovery_code',
  'code',
  'admin_token',
].flatMap((name) => (name === 'code' ? [`body.${name}`] : [name, `*.${name}`, `*.*.${name}`, `headers["${name}"]`]))

/** Lines of one code: beyond it they are counted. 100 a second of the longest lines are some 50 kB. */
const LINES = { burst: 1000, perSecond: 100, tellEveryMs: 10_000 }
/** Below this level a person asked for every line. */
const INFO_LEVEL = 30
/** Bytes that wait for a log that is not read, or whose disk is full; what comes beyond them is dropped and counted. */
const WAITING_MAX_BYTES = 4 * 1024 ** 2
/** A log that has taken nothing for so long is not waited for at the end. */
const STUCK_MS = 1_000
const DROPPED = Symbol('dropped')

export interface LogOptions {
  service: string
  level: string
  /** Readable lines on a terminal, JSON elsewhere. */
  pretty: boolean
  destination?: DestinationStream
  monotonicMs?: () => number
}

/**
 * One JSON line per request, job and state change, never one per span. Every line carries a stable `code`
 * (`ingest.summary`, `http.request`), `service` and an RFC 3339 `time`; a request's line its `request_id` and `trace_id`.
 * A log that nobody reads or that cannot be written never holds up the service: lines are dropped and counted.
 */
export function createLogger({ service, level, pretty, destination, monotonicMs }: LogOptions): Logger {
  const dropped = { lines: 0 }
  const stream = pretty ? prettyStream() : (destination ?? standardOutput(dropped))
  const limit = createLineLimit({ ...LINES, monotonicMs: monotonicMs ?? (() => performance.now()) })
  const log = pino(
    {
      level,
      base: { service },
      messageKey: 'msg',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label: string) => ({ level: label }) },
      redact: { paths: SECRET_PATHS, censor: '[redacted]' },
      hooks: {
        logMethod(args, method, levelNumber) {
          if (levelNumber >= INFO_LEVEL && !limit.take(codeOf(args[0]))) {
            dropped.lines++
            return
          }
          const lines = limit.tell()
          if (lines) this.warn({ code: 'log.dropped', lines }, 'too many lines at once: these were only counted')
          method.apply(this, args)
        },
      },
    },
    stream,
  )
  return Object.assign(log, { [DROPPED]: dropped })
}

/** Lines that were not written, since too many came at once or the log took none. */
export function droppedLines(log: Logger): number {
  return (log as { [DROPPED]?: { lines: number } })[DROPPED]?.lines ?? 0
}

function codeOf(fields: unknown): string {
  return String((fields as { code?: unknown } | null)?.code ?? '')
}

/** Written off the main thread. At the end of the process what waits is written, unless the log has taken nothing for a while. */
function standardOutput(dropped: { lines: number }): DestinationStream {
  const stream = pino.destination({ dest: 1, sync: false, maxLength: WAITING_MAX_BYTES })
  let waitingSinceMs: number | null = null
  let isFailing = false
  const { write, flushSync } = stream
  stream.write = (line) => {
    waitingSinceMs ??= performance.now()
    return write.call(stream, line)
  }
  // The library would wait for ever.
  stream.flushSync = () => {
    const isStuck = waitingSinceMs !== null && performance.now() - waitingSinceMs > STUCK_MS
    if (!isFailing && !isStuck) flushSync.call(stream)
  }
  stream.on('drain', () => {
    waitingSinceMs = null
    isFailing = false
  })
  // A full disk or a closed pipe: what waits is tried again with the next line.
  stream.on('error', () => {
    isFailing = true
  })
  stream.on('drop', () => {
    dropped.lines++
  })
  return stream
}

/** Loaded on a terminal only: a service that writes JSON need not hold it. */
function prettyStream(): DestinationStream {
  const pretty = createRequire(import.meta.url)('pino-pretty') as typeof pinoPretty
  return pretty({
    colorize: true,
    translateTime: 'HH:MM:ss',
    ignore: 'pid,hostname,service,code,settings',
    messageFormat: '{code} {msg}',
  })
}
