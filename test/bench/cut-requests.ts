import type { ResourceSpansJson, SpanJson, TraceRequestJson } from '../harness/otlp-json.ts'

interface SpanInEnvelope {
  envelope: ResourceSpansJson
  scopeAt: number
  span: SpanJson
}

/** Every span with the envelopes it was sent under, in order. */
function spansOf(requests: readonly TraceRequestJson[]): SpanInEnvelope[] {
  return requests.flatMap(({ resourceSpans }) =>
    resourceSpans.flatMap((envelope) =>
      envelope.scopeSpans.flatMap(({ spans }, scopeAt) => spans.map((span) => ({ envelope, scopeAt, span }))),
    ),
  )
}

/** The spans of `requests` again, in requests of `sizes()` spans each; resource and scope are repeated where one is cut. */
export function cutRequests(requests: readonly TraceRequestJson[], sizes: () => number): TraceRequestJson[] {
  const all = spansOf(requests)
  const cut: TraceRequestJson[] = []
  for (let at = 0; at < all.length; ) {
    const size = Math.max(1, sizes())
    cut.push(requestOf(all.slice(at, at + size)))
    at += size
  }
  return cut
}

function requestOf(spans: readonly SpanInEnvelope[]): TraceRequestJson {
  const resourceSpans: ResourceSpansJson[] = []
  let before: SpanInEnvelope | null = null
  for (const one of spans) {
    const { scopeSpans, ...envelope } = one.envelope
    if (one.envelope !== before?.envelope) resourceSpans.push({ ...envelope, scopeSpans: [] })
    const scopes = resourceSpans.at(-1)!.scopeSpans
    if (one.envelope !== before?.envelope || one.scopeAt !== before.scopeAt)
      scopes.push({ ...scopeSpans[one.scopeAt]!, spans: [] })
    scopes.at(-1)!.spans.push(one.span)
    before = one
  }
  return { resourceSpans }
}
