/** From here on a severity number says error or worse (`SEVERITY_NUMBER_ERROR`). */
export const ERROR_NUMBER = 17

/** Longer texts are no name of a severity. */
export const SEVERITY_TEXT_MAX_BYTES = 32

/** What libraries call the levels from error on: OpenTelemetry, syslog, Go's zap, .NET, Java's util.logging, Python. */
const ERROR_NAME =
  /^[ \t\r\n]*(?:severity_number_)?(?:error[2-4]?|err|failure|fatal[2-4]?|critical|crit|alert|emerg|emergency|d?panic|severe)[ \t\r\n]*$/i

/** Whether a log record says that it tells of an error: by its number, or by its name where the number is not given. */
export function isErrorSeverity(severityNumber: number, severityText: string): boolean {
  if (severityNumber !== 0) return severityNumber >= ERROR_NUMBER
  return severityText.length <= SEVERITY_TEXT_MAX_BYTES && ERROR_NAME.test(severityText)
}

const LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL']

/** Names of SeverityNumber in OTLP's JSON, each at its number. */
export const SEVERITY_NAMES: readonly string[] = [
  'SEVERITY_NUMBER_UNSPECIFIED',
  ...LEVELS.flatMap((level) => ['', '2', '3', '4'].map((step) => `SEVERITY_NUMBER_${level}${step}`)),
]
