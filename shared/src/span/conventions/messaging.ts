import type { OtlpAttributes } from '../../otlp/model.ts'
import { textAt } from '../attribute-values.ts'
import { templateName } from '../name-template.ts'
import { OPERATION_CHARS_MAX, type ViewDraft } from '../view-draft.ts'

/** Queues and topics: `messaging.*`, with `messaging.operation` and `messaging.destination` of before. */
export const MESSAGING_KEYS = [
  'messaging.system',
  'messaging.operation.name',
  'messaging.operation.type',
  'messaging.operation',
  'messaging.destination.template',
  'messaging.destination.name',
  'messaging.destination',
  'messaging.destination.temporary',
  'messaging.destination.anonymous',
] as const

const SPAN_KIND_PRODUCER = 4
const SPAN_KIND_CONSUMER = 5

/** The operation is the verb and the destination's template; a temporary or unnamed destination is one for all. */
export function readMessaging(draft: ViewDraft): void {
  const { attributes } = draft
  const system = textAt(attributes, 'messaging.system', 64)
  const destination = destinationOf(attributes)
  if (system === null && destination === null) return
  draft.kind = 'messaging'
  draft.derived.kind = system === null ? destination!.key : 'messaging.system'
  const verb = verbOf(draft)
  if (verb === null) return
  draft.operation = `${verb} ${destination?.text ?? system}`
  draft.derived.operation = destination?.key ?? 'messaging.system'
}

function verbOf(draft: ViewDraft): string | null {
  const { attributes } = draft
  const verb =
    textAt(attributes, 'messaging.operation.name', 64) ??
    textAt(attributes, 'messaging.operation.type', 64) ??
    textAt(attributes, 'messaging.operation', 64)
  if (verb !== null) return verb
  if (draft.span.kind === SPAN_KIND_PRODUCER) return 'send'
  return draft.span.kind === SPAN_KIND_CONSUMER ? 'process' : null
}

function destinationOf(attributes: OtlpAttributes): { text: string; key: string } | null {
  const template = textAt(attributes, 'messaging.destination.template', OPERATION_CHARS_MAX)
  if (template !== null) return { text: template, key: 'messaging.destination.template' }
  for (const key of ['messaging.destination.temporary', 'messaging.destination.anonymous'] as const) {
    if (attributes.get(key) === true) return { text: '(temporary)', key }
  }
  for (const key of ['messaging.destination.name', 'messaging.destination'] as const) {
    const name = textAt(attributes, key, OPERATION_CHARS_MAX)
    if (name !== null) return { text: templateName(name), key }
  }
  return null
}
