import { toHex } from '../otlp/ids.ts'
import { type CostOf, sentCost } from '../span/price-call.ts'
import type { SessionPart, TraceSpan } from './model.ts'
import { NO_PARENT, type TraceTree } from './trace-tree.ts'

/**
 * The session of every span, by its index in the tree: its own, else its nearest ancestor's, else the trace's only one,
 * else the trace id in hex.
 */
export function sessionOfSpans(tree: TraceTree): string[] {
  const named = new Set<string>()
  const inherited: (string | null)[] = new Array(tree.spans.length)
  for (const i of tree.topDown) {
    const own = tree.spans[i]!.view.session
    if (own !== null) named.add(own)
    const parent = tree.parents[i]!
    inherited[i] = own ?? (parent === NO_PARENT ? null : inherited[parent]!)
  }
  const first = tree.spans[0]
  const rest = named.size === 1 ? [...named][0]! : first === undefined ? '' : toHex(first.span.traceId)
  return inherited.map((session) => session ?? rest)
}

/**
 * Totals of each session in this trace, by session id. A turn is a model call that is not inside another one, a tool call a tool span
 * that is not inside the same tool's span: two instrumentations of one call count once. Tokens and cost are summed over the innermost
 * model calls that name them, since outer spans repeat their sum; the cost is what is known of it, null where none is.
 */
export function sumSessions(
  tree: TraceTree,
  sessions: string[],
  failures: Iterable<{ sessionId: string }>,
  costOf: CostOf = sentCost,
): SessionPart[] {
  const parts = new Map<string, SessionPart>()
  const named = new Set(tree.spans.map(({ view }) => view.session))
  const layers = layersOf(tree)
  const counted = innermostUsage(tree)
  for (const i of tree.topDown) {
    const id = sessions[i]!
    const part = parts.get(id) ?? emptyPart(id, named.has(id))
    parts.set(id, part)
    addSpan(part, tree.spans[i]!)
    if (layers[i] === OUTERMOST_CALL) part.turns++
    if (layers[i] === OUTERMOST_TOOL) part.toolCalls++
    if (counted[i]) addUsage(part, tree.spans[i]!, costOf)
  }
  for (const { sessionId } of failures) parts.get(sessionId)!.failures++
  return [...parts.values()].sort((a, b) => (a.sessionId < b.sessionId ? -1 : 1))
}

const OUTERMOST_CALL = 1
const OUTERMOST_TOOL = 2

/** Which spans open a model call or a tool call, judged by the nearest agent, model or tool span above each. */
function layersOf(tree: TraceTree): Uint8Array {
  const nearest = new Int32Array(tree.spans.length).fill(NO_PARENT)
  const layers = new Uint8Array(tree.spans.length)
  for (const i of tree.topDown) {
    const parent = tree.parents[i]!
    const above = parent === NO_PARENT ? NO_PARENT : nearest[parent]!
    const { kind, tool } = kindOf(tree.spans[i]!)
    nearest[i] = kind === 'chat' || kind === 'tool' || kind === 'agent' ? i : above
    const outer = above === NO_PARENT ? null : tree.spans[above]!.view
    if (kind === 'chat' && outer?.kind !== 'chat') layers[i] = OUTERMOST_CALL
    const sameTool = outer?.kind === 'tool' && (outer.tool === tool || outer.tool === null || tool === null)
    if (kind === 'tool' && !sameTool) layers[i] = OUTERMOST_TOOL
  }
  return layers
}

/** A log record repeats what its span says of a call, and is none. */
function kindOf({ span, view }: TraceSpan): Pick<TraceSpan['view'], 'kind' | 'tool'> {
  return span.log ? { kind: 'other', tool: null } : view
}

/** Model calls that name their usage and hold no other that does. */
export function innermostUsage(tree: TraceTree): boolean[] {
  const below: boolean[] = new Array(tree.spans.length).fill(false)
  const counted: boolean[] = new Array(tree.spans.length).fill(false)
  for (let at = tree.topDown.length - 1; at >= 0; at--) {
    const i = tree.topDown[at]!
    const { tokens, cost_usd } = tree.spans[i]!.view
    const { kind } = kindOf(tree.spans[i]!)
    const names =
      (kind === 'chat' || kind === 'embeddings') && (tokens.input !== null || tokens.output !== null || cost_usd !== null)
    counted[i] = names && !below[i]
    const parent = tree.parents[i]!
    if (parent !== NO_PARENT && (names || below[i])) below[parent] = true
  }
  return counted
}

function emptyPart(sessionId: string, explicit: boolean): SessionPart {
  return {
    sessionId,
    explicit,
    agent: null,
    user: null,
    spans: 0,
    turns: 0,
    toolCalls: 0,
    inputTokens: 0,
    outputTokens: 0,
    costUsd: null,
    failures: 0,
    startUnixNano: 0n,
    endUnixNano: 0n,
  }
}

function addSpan(part: SessionPart, { span, view }: TraceSpan): void {
  if (!span.log) part.spans++
  // Top-down: the outermost agent names the session.
  part.agent ??= view.agent
  part.user ??= view.user
  const { startUnixNano: start, endUnixNano: end } = span
  if (start > 0n && (part.startUnixNano === 0n || start < part.startUnixNano)) part.startUnixNano = start
  const last = end > 0n ? end : start
  if (last > part.endUnixNano) part.endUnixNano = last
}

function addUsage(part: SessionPart, { view }: TraceSpan, costOf: CostOf): void {
  part.inputTokens += view.tokens.input ?? 0
  part.outputTokens += view.tokens.output ?? 0
  const cost = costOf(view)
  if (cost !== null) part.costUsd = (part.costUsd ?? 0) + cost
}
