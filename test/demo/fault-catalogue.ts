import type { SignalType } from '@loopkit/shared/signals/signal-type'

/** What a trace does; a fault can be planted in traces of its own scenario only. */
export const SCENARIOS = ['browse', 'search', 'checkout', 'review', 'cancel', 'wishlist', 'support'] as const
export type Scenario = (typeof SCENARIOS)[number]

export interface FaultSpec {
  id: string
  signal: SignalType
  /** A soft fault is no error of any span: only the trace as a whole shows it. */
  hard: boolean
  scenario: Scenario
  /** Where the failure begins, in the words of the telemetry: service, and span name or tool. */
  service: string
  operation: string
  /** Source of a regular expression that the failure's own text matches. */
  text: string
  /** How far the error is seen: not beyond its span, up to the root, or gone after a retry. */
  spread: 'contained' | 'bubbles' | 'retried'
}

const hard = (
  id: string,
  signal: SignalType,
  scenario: Scenario,
  [service, operation]: [string, string],
  text: string,
  spread: FaultSpec['spread'],
): FaultSpec => ({ id, signal, hard: true, scenario, service, operation, text, spread })

const soft = (id: string, signal: SignalType, operation: string): FaultSpec => ({
  id,
  signal,
  hard: false,
  scenario: 'support',
  service: 'support-agent',
  operation,
  text: '',
  spread: 'contained',
})

/** Every fault the demo can plant. The ids in the texts differ from trace to trace, the words do not. */
export const FAULT_CATALOGUE: readonly FaultSpec[] = [
  hard('cart-currency', 'exception', 'checkout', ['shop-api', 'price cart'], "reading 'currency'", 'bubbles'),
  hard('shelf-range', 'exception', 'checkout', ['inventory', 'pick shelf'], 'shelf .* is beyond the last row', 'bubbles'),
  hard('review-encoding', 'exception', 'review', ['shop-api', 'POST /reviews'], 'URI malformed', 'bubbles'),
  hard('coupon-balance', 'error_status', 'checkout', ['shop-api', 'apply coupon'], 'coupon ledger is off by', 'contained'),
  hard('wishlist-heads', 'error_status', 'wishlist', ['shop-web', 'sync wishlist'], 'has two diverging heads', 'contained'),
  hard(
    'refund-captured',
    'tool_failure',
    'support',
    ['support-agent', 'refund_order'],
    'exceeds its captured amount',
    'contained',
  ),
  hard('mcp-lookup', 'tool_failure', 'support', ['support-agent', 'lookup_order'], 'is not known to warehouse', 'contained'),
  hard('mcp-ticket', 'tool_failure', 'support', ['support-agent', 'create_ticket'], 'ticket queue .* is closed', 'contained'),
  hard('model-500', 'llm_error', 'support', ['support-agent', 'chat'], 'server had an error while processing', 'bubbles'),
  hard('model-context', 'llm_error', 'support', ['support-agent', 'chat'], 'maximum context length is', 'bubbles'),
  hard('payment-timeout', 'timeout', 'checkout', ['shop-api', 'POST /payments'], 'no answer .* within', 'bubbles'),
  hard(
    'stock-timeout',
    'timeout',
    'browse',
    ['inventory', 'SELECT stock'],
    'canceling statement due to statement timeout',
    'bubbles',
  ),
  hard('model-429', 'rate_limited', 'support', ['support-agent', 'chat'], 'Rate limit reached for', 'retried'),
  hard('tax-429', 'rate_limited', 'checkout', ['shop-api', 'GET /tax'], 'quota of account .* is used up', 'contained'),
  hard(
    'payment-signature',
    'auth_failure',
    'checkout',
    ['shop-api', 'POST /payments'],
    'signature of merchant .* has expired',
    'bubbles',
  ),
  hard('model-forbidden', 'auth_failure', 'support', ['support-agent', 'chat'], 'does not have access to model', 'bubbles'),
  hard('picks-refused', 'dependency_failure', 'browse', ['shop-api', 'GET /recommendations'], 'ECONNREFUSED', 'contained'),
  hard(
    'payment-503',
    'dependency_failure',
    'checkout',
    ['shop-api', 'POST /payments'],
    'upstream .* reset before headers',
    'retried',
  ),
  soft('agent-empty', 'empty_output', 'chat'),
  soft('agent-cut', 'truncated_output', 'chat'),
  soft('agent-refuses', 'refusal', 'chat'),
  soft('agent-forgets', 'orphan_tool_call', 'chat'),
  soft('agent-repeats', 'repeated_step', 'search_faq'),
  { ...soft('picks-slow', 'slow', 'GET /recommendations'), scenario: 'browse', service: 'shop-api' },
  soft('agent-hoards', 'cost_outlier', 'invoke_agent support'),
]

/** Nothing fails where it strikes: only beside all other runs of the operation does it show, so it must strike few of them. */
export function isOutlierFault({ signal }: FaultSpec): boolean {
  return signal === 'slow' || signal === 'cost_outlier'
}

/** A fault of the catalogue by its id. */
export function faultById(id: string): FaultSpec {
  const found = FAULT_CATALOGUE.find((fault) => fault.id === id)
  if (!found) throw new Error(`no fault ${id} in the catalogue`)
  return found
}
