import type { SpanInContext } from '@loopkit/shared/otlp/model'
import { detect } from '@loopkit/shared/signals/detect'
import { fingerprint } from '@loopkit/shared/signals/fingerprint'
import { titleOf } from '@loopkit/shared/signals/title'
import { normalizeSpan } from '@loopkit/shared/span/normalize-span'
import { viewSpan } from '@loopkit/shared/span/view-span'
import { promise } from './broken-promise.ts'

const HOW = {
  receivedAtMs: 1_781_856_000_000,
  sessionId: 'session',
  signalType: null,
  limits: { attributesShownMax: 128, attributeShownMaxBytes: 16_384 },
}
/** No honest record comes near: limits cut what is shown. */
const RECORD_MAX_CHARACTERS = 2_000_000
const TITLE_MAX_CHARACTERS = 160

/** Whatever was stored can be shown, judged and named. */
export function checkReading(spans: readonly SpanInContext[]): void {
  for (const ctx of spans) {
    const record = JSON.stringify(normalizeSpan(ctx, HOW))
    promise(record.length < RECORD_MAX_CHARACTERS, 'a record is shown without bounds')
    const view = viewSpan(ctx)
    const detection = detect(ctx.span, view, new Set())
    if (detection === null) continue
    const { key, parentKey, template } = fingerprint('fuzz-00000000', view, detection)
    promise(key.length === parentKey.length && key.length > 0, 'a fingerprint without a key')
    const { signal, errorType } = detection
    const title = titleOf({ signal, operation: view.operation, errorType, template })
    promise(title.length > 0 && title.length <= TITLE_MAX_CHARACTERS, 'a title is empty or too long')
  }
}
