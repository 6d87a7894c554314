import { createHash } from 'node:crypto'
import type { SpanView } from '../span/record.ts'
import type { Detection, Fingerprint } from './model.ts'
import { stackSignature } from './stack.ts'
import { templateOf } from './template.ts'

/**
 * Rises when the same failure would get another key. What made the keys until then is kept as `FORMER_SCHEME`, so that failures under
 * the new one are counted with the pains that they had.
 */
export const FINGERPRINT_SCHEME = 1

/** The key that an earlier scheme gave. */
export type FormerScheme = (projectId: string, view: SpanView, detection: Detection) => Uint8Array

/** Before the first there was none. */
const FORMER_SCHEME: FormerScheme | null = null

const KEY_BYTES = 16
const TEMPLATE_SHOWN_MAX_CHARS = 1_000

/** A service named after its container (`fb26c0381621`), pod or UUID would be a new service at every start. */
const INSTANCE_NAME = /^(?:[0-9a-f]{12,64}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$/i
const POD_SUFFIX = /-[0-9a-f]{8,10}-[0-9a-z]{5}$/

/**
 * The key under which failures are one pain: 128 bits of SHA-256 over scheme, project, signal, service, span kind, operation and error
 * class, then in-app stack and message template. The parent key leaves out those two, so a failure that changed its words is recognized.
 * Stack and template are both in it: one function raises several different errors, and the same words come from several places.
 * A user's own fingerprint replaces all but project and signal. Stateless: no order, shard or history can change it.
 */
export function fingerprint(
  projectId: string,
  view: SpanView,
  detection: Detection,
  former: FormerScheme | null = FORMER_SCHEME,
): Fingerprint {
  const template = templateOf(ownWords(detection.message ?? '', detection.errorType)).slice(0, TEMPLATE_SHOWN_MAX_CHARS)
  const scope = scopeOf(projectId)
  const parent = detection.userFingerprint === null ? placeOf(view, detection) : [['user fingerprint', detection.userFingerprint]]
  const own = detection.userFingerprint === null ? wordsOf(template, detection) : [['signal', detection.signal]]
  const steps = [...parent, ...own].map(([step, value]) => ({ step: step!, value: value! }))
  return {
    parentKey: keyOf([...scope, 'parent', ...parent.flat()]),
    key: keyOf([...scope, 'own', ...parent.flat(), ...own.flat()]),
    previousKey: former === null ? null : former(projectId, view, detection),
    template,
    steps: [{ step: 'scheme', value: String(FINGERPRINT_SCHEME) }, ...steps],
  }
}

/** A log record is one pain wherever it was written: whether its span is known must not change its key. */
function placeOf(view: SpanView, detection: Detection): string[][] {
  const where = detection.isLog
    ? [['record', 'log']]
    : [
        ['span kind', `${view.kind} ${detection.spanKind}`],
        ['operation', view.operation],
      ]
  return [
    ['signal', detection.signal],
    ['service', stableService(view.service)],
    ...where,
    ['error class', errorClassOf(detection)],
  ]
}

function wordsOf(template: string, detection: Detection): string[][] {
  const stack = detection.stack === null ? [] : stackSignature(detection.stack)
  return [...(stack.length > 0 ? [['stack', stack.join(' < ')]] : []), ['template', template]]
}

/** Type and code: a client library's one exception type stands for a 404 and a 503 alike. */
function errorClassOf({ errorType, code }: Detection): string {
  const type = errorType === null ? '' : errorType.includes(' ') ? templateOf(errorType) : errorType
  return code === null || code === errorType ? type || (code ?? '') : `${type} ${code}`.trim()
}

export function stableService(service: string): string {
  return INSTANCE_NAME.test(service) ? '*' : service.replace(POD_SUFFIX, '-*')
}

/** The message without the type that some SDKs put before it, so that both ways of recording it are one pain. */
function ownWords(message: string, errorType: string | null): string {
  if (errorType === null) return message
  const short = errorType.slice(errorType.lastIndexOf('.') + 1)
  for (const prefix of [`${errorType}: `, `${short}: `]) if (message.startsWith(prefix)) return message.slice(prefix.length)
  return message
}

/** What every key begins with. */
export function scopeOf(projectId: string, scheme: number = FINGERPRINT_SCHEME): string[] {
  return ['scheme', String(scheme), 'project', projectId]
}

export function keyOf(parts: readonly (string | null)[]): Uint8Array {
  return new Uint8Array(createHash('sha256').update(JSON.stringify(parts)).digest().subarray(0, KEY_BYTES))
}
