import type { OtlpSpan } from '../otlp/model.ts'
import type { SpanView } from '../span/record.ts'
import { type Evidence, gatherEvidence } from './evidence.ts'
import { failureGround } from './failing.ts'
import { authFailure } from './hard/auth-failure.ts'
import { dependencyFailure } from './hard/dependency-failure.ts'
import { errorStatus } from './hard/error-status.ts'
import { exception } from './hard/exception.ts'
import { wrongToolArguments } from './hard/invalid-tool-arguments.ts'
import { llmError } from './hard/llm-error.ts'
import { rateLimited } from './hard/rate-limited.ts'
import type { HardRule } from './hard/rule.ts'
import { timeout } from './hard/timeout.ts'
import { toolFailure } from './hard/tool-failure.ts'
import { USER_FINGERPRINT_KEY } from './keys.ts'
import type { Detection } from './model.ts'
import type { SignalType } from './signal-type.ts'

export { DETECTION_KEYS } from './keys.ts'

/** The narrower word goes first: a refused model call is a rate limit before it is a model error before it is an exception. */
const RULES: readonly HardRule[] = [
  rateLimited,
  authFailure,
  timeout,
  llmError,
  wrongToolArguments,
  toolFailure,
  dependencyFailure,
  exception,
  errorStatus,
]

/**
 * The hard signal of one span or log record, or null for a healthy one. Pure; runs on every span at the door.
 * A signal in `off` has no rule: the span is still a failure and the next rule names it, so that blame keeps its origin.
 * With all of them off nothing is detected.
 */
export function detect(span: OtlpSpan, view: SpanView, off: ReadonlySet<SignalType>): Detection | null {
  const ground = failureGround(span, view)
  if (ground === null) return null
  const evidence = gatherEvidence(span, view)
  for (const rule of RULES) {
    const because = off.has(rule.signal) ? null : rule.applies(evidence)
    if (because !== null) return describe(rule.signal, evidence, `${ground}; ${because}`)
  }
  return null
}

function describe(signal: SignalType, evidence: Evidence, because: string): Detection {
  const own = evidence.span.attributes.get(USER_FINGERPRINT_KEY)
  return {
    signal,
    errorType: evidence.errorType,
    message: evidence.message,
    stack: evidence.stack,
    code:
      evidence.sqlstate ??
      grpcFailure(evidence.grpc) ??
      (evidence.http !== null && evidence.http >= 400 ? String(evidence.http) : null),
    spanKind: evidence.span.kind,
    userFingerprint: typeof own === 'string' && own !== '' ? own.slice(0, 256) : null,
    ...(evidence.span.log && { isLog: true }),
    because,
  }
}

function grpcFailure(code: string | null): string | null {
  return code === 'OK' ? null : code
}
