import { createRequire } from 'node:module'
import { type DestinationStream, type Logger, pino } from 'pino'
import type pinoPretty from 'pino-pretty'

export type { Logger }

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

export interface LogOptions {
  service: string
  level: string
  /** Readable lines on a terminal, JSON elsewhere. */
  pretty: boolean
  destination?: DestinationStream
}

/**
 * One JSON line per request, job and state change, never one per span. Every line carries a stable `code`
 * (`ingest.summary`, `http.request`), `service` and an RFC 3339 `time`; a request's line its `request_id` and `trace_id`.
 */
export function createLogger({ service, level, pretty, destination }: LogOptions): Logger {
  const stream = pretty ? prettyStream() : destination
  const options = {
    level,
    base: { service },
    messageKey: 'msg',
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: SECRET_PATHS, censor: '[redacted]' },
  }
  return stream ? pino(options, stream) : pino(options)
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
