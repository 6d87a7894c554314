import type { SpanView } from '../span/record.ts'
import { blame } from './blame.ts'
import { fingerprint } from './fingerprint.ts'
import type { Detection, Failure, Fingerprint, JudgedTrace, TraceSpan } from './model.ts'
import { sampleWeight } from './sample-weight.ts'
import { sessionOfSpans, sumSessions } from './sessions.ts'
import { buildTraceTree } from './trace-tree.ts'

/**
 * Judges all that is known of one trace: every failure at its origin, once, with the ancestors that passed it on, and every span's session.
 * Pure: the same spans in any order give the same answer, cycles and chains of any length end, and time is linear in the spans.
 */
export function judgeTrace(projectId: string, spans: readonly TraceSpan[]): JudgedTrace {
  const tree = buildTraceTree(spans)
  // Signals that only a whole trace can show are detected here, on the tree, before blame.
  const blamed = blame(tree)
  const sessions = sessionOfSpans(tree)
  const fingerprintOf = rememberFingerprints(projectId)
  const origins = [...blamed.keys()].sort((a, b) => a - b)
  const failures = origins.map((i): Failure => {
    const { span, view, detection } = tree.spans[i]!
    return {
      span,
      view,
      detection: detection!,
      fingerprint: fingerprintOf(view, detection!),
      sessionId: sessions[i]!,
      weight: sampleWeight(span.traceState),
      propagatedTo: blamed.get(i)!.map((ancestor) => tree.spans[ancestor]!),
    }
  })
  return {
    failures,
    sessions: sumSessions(tree, sessions, origins),
    sessionOf: new Map(tree.ids.map((id, i) => [id, sessions[i]!])),
  }
}

/** A trace often fails a thousand times in one way; its key is computed once. */
function rememberFingerprints(projectId: string): (view: SpanView, detection: Detection) => Fingerprint {
  const known = new Map<string, Fingerprint>()
  return (view, detection) => {
    const { because: _because, ...what } = detection
    const same = JSON.stringify([view.service, view.kind, view.operation, what])
    const found = known.get(same) ?? fingerprint(projectId, view, detection)
    known.set(same, found)
    return found
  }
}
