import type { SegmentPacker } from '@loopkit/shared/segment/pack-segment'
import { packTraceHashes } from '@loopkit/shared/segment/trace-hashes'
import type { BodyToCommit } from './messages.ts'
import type { PackedProject, ProjectCommit } from './write-rows.ts'

/** Compresses a project's bodies of one group into one segment. Done before the transaction, which should be short. */
export function packProject(project: ProjectCommit, bodies: readonly BodyToCommit[], pack: SegmentPacker): PackedProject {
  const own = project.positions.map((position) => bodies[position]!)
  const traces = distinctTraces(own)
  const sum = (of: (body: BodyToCommit) => number) => own.reduce((total, body) => total + of(body), 0)
  return {
    ...project,
    bodies: own,
    segment: pack(joined(own)),
    bodyBytes: sum(({ body }) => body.length),
    traceHashes: packTraceHashes(traces),
    traces,
    spans: sum(({ spans }) => spans),
    newSpans: sum(({ newSpans }) => newSpans),
  }
}

/** Bodies that lie one behind the other in memory are one piece already. */
function joined(bodies: readonly BodyToCommit[]): Uint8Array[] {
  const { buffer, byteOffset } = bodies[0]!.body
  let end = byteOffset
  for (const { body } of bodies) {
    if (body.buffer !== buffer || body.byteOffset !== end) return bodies.map((one) => one.body)
    end += body.length
  }
  return [new Uint8Array(buffer, byteOffset, end - byteOffset)]
}

/** Sorted, each once. */
function distinctTraces(bodies: readonly BodyToCommit[]): BigUint64Array {
  const words = new Uint32Array(bodies.reduce((total, { traces }) => total + traces.length, 0))
  let at = 0
  for (const { traces } of bodies) {
    words.set(traces, at)
    at += traces.length
  }
  const sorted = new BigUint64Array(words.buffer).sort()
  let kept = 0
  for (let i = 0; i < sorted.length; i++) if (i === 0 || sorted[i] !== sorted[i - 1]) sorted[kept++] = sorted[i]!
  return sorted.subarray(0, kept)
}
