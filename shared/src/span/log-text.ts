import type { OtlpValue } from '../otlp/model.ts'
import { toShownValue } from './json-value.ts'

/** Where structured bodies keep their sentence, by library: zap and slog, Serilog, Fluent Bit, structlog. */
const SENTENCE_KEYS = ['message', 'msg', 'Message', 'MESSAGE', 'log', 'event', 'error', 'err'] as const

/** A body without a sentence is shown as JSON up to here. */
const JSON_MAX_BYTES = 8_192

/** What the body of a log record says, in one text; '' for an empty one. */
export function logText(body: OtlpValue): string {
  if (body === null) return ''
  if (typeof body === 'string') return body
  if (body instanceof Map) {
    for (const key of SENTENCE_KEYS) {
      const sentence = body.get(key)
      if (typeof sentence === 'string' && sentence !== '') return sentence
    }
  }
  const shown = toShownValue(body, { bytes: JSON_MAX_BYTES, isCut: false })
  return typeof shown === 'string' ? shown : JSON.stringify(shown)
}
