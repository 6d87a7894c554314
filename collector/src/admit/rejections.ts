/** Records of a body that were refused one by one. */
export interface Rejections {
  /** `traceId` '': not known, or several. */
  add(reason: string, traceId: string, count?: number): void
  count(): number
  byReason(): ReadonlyMap<string, { count: number; traceIds: readonly string[] }>
  /** One bounded line for `partialSuccess`; empty where nothing was refused. */
  message(): string
}

/** Trace ids named per reason: enough to find the sender's mistake. */
const TRACE_IDS_MAX = 3
const TRACE_ID_SHOWN_MAX = 64

const EXPLANATIONS: Record<string, string> = {
  quota_exceeded: 'the span quota of this project is used up',
  trace_id_empty: 'a span has ids; log records go to /v1/logs and metrics to /v1/metrics',
  trace_id_wrong_length: 'in protobuf a trace id has 16 bytes, not their hex; metrics go to /v1/metrics',
  span_id_wrong_length: 'in protobuf a span id has 8 bytes, not their hex',
}

export function createRejections(): Rejections {
  const reasons = new Map<string, { count: number; traceIds: string[] }>()
  return {
    add(reason, traceId, count = 1) {
      let entry = reasons.get(reason)
      if (!entry) {
        entry = { count: 0, traceIds: [] }
        reasons.set(reason, entry)
      }
      entry.count += count
      const shown = traceId.slice(0, TRACE_ID_SHOWN_MAX)
      if (entry.traceIds.length < TRACE_IDS_MAX && shown !== '' && !entry.traceIds.includes(shown)) entry.traceIds.push(shown)
    },
    count: () => [...reasons.values()].reduce((sum, { count }) => sum + count, 0),
    byReason: () => reasons,
    message: () =>
      [...reasons]
        .map(([reason, { count }]) => `${reason}: ${count}${EXPLANATIONS[reason] ? ` (${EXPLANATIONS[reason]})` : ''}`)
        .join('; '),
  }
}
