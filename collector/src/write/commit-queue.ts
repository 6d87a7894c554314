import type { AdmittedBody } from '../admit/admission.ts'
import type { KeyUses } from '../admit/key-uses.ts'
import type { Ledger } from '../admit/ledger.ts'
import { ownBytes } from '../admit/own-bytes.ts'
import { type Refusal, refused } from '../receive/outcome.ts'
import type { BodyToCommit, CommitGroup, WriterReply } from './messages.ts'

/** The writer's end of the line. */
export interface WriterPort {
  post(group: CommitGroup, moved: ArrayBuffer[]): void
}

/** What the queue tells about bodies and commits. */
export interface CommitEvents {
  onCommitted(body: AdmittedBody): void
  onRevoked(body: AdmittedBody): void
  /** After every group; `waitedMs` is from handing over to the answer. */
  onGroup(reply: Extract<WriterReply, { kind: 'committed' | 'failed' }>, spans: number, waitedMs: number): void
}

/**
 * Group commit without a timer: whatever arrived while a commit ran is the next commit. One group is under way at a time,
 * bodies are committed in the order they were pushed.
 */
export interface CommitQueue {
  push(body: AdmittedBody): void
  /** null when the body is durable, else why it is not. For any body that was pushed, at any time. */
  settled(body: AdmittedBody): Promise<Refusal | null>
  /** Spans that were pushed and are not committed. */
  pendingSpans(): number
  /** Writes counts that wait, if nothing else does. */
  flush(): void
  onReply(reply: WriterReply): void
  /** Resolves when nothing is waiting or under way. */
  idle(): Promise<void>
}

/** Bodies of one group, in bytes and spans: larger groups compress no better and answer later. */
const GROUP_MAX_BYTES = 4 * 1024 ** 2
const GROUP_MAX_SPANS = 20_000

export interface CommitQueueOptions {
  port: WriterPort
  ledger: Ledger
  keyUses: KeyUses
  events: CommitEvents
  monotonicMs(): number
}

interface Settling {
  promise: Promise<Refusal | null>
  resolve(outcome: Refusal | null): void
}

export function createCommitQueue({ port, ledger, keyUses, events, monotonicMs }: CommitQueueOptions): CommitQueue {
  const waiting: AdmittedBody[] = []
  const settling = new Map<AdmittedBody, Settling>()
  const idleWaiters: (() => void)[] = []
  let underWay: { group: CommitGroup; bodies: AdmittedBody[]; sentMs: number } | null = null
  let nextGroup = 1
  let pendingSpans = 0

  function settle(body: AdmittedBody, outcome: Refusal | null): void {
    pendingSpans -= body.spans
    if (outcome) events.onRevoked(body)
    else events.onCommitted(body)
    settling.get(body)?.resolve(outcome)
    settling.delete(body)
  }

  function takeGroup(): AdmittedBody[] {
    const bodies: AdmittedBody[] = []
    let bytes = 0
    let spans = 0
    let taken = 0
    for (const body of waiting) {
      if (bodies.length > 0 && (bytes + body.body.length > GROUP_MAX_BYTES || spans + body.spans > GROUP_MAX_SPANS)) break
      taken++
      if (dependsOnFailed(body)) {
        settle(body, refused('storage_failed', 'the first copy of a repeated span was not stored'))
        continue
      }
      bodies.push(body)
      bytes += body.body.length
      spans += body.spans
    }
    waiting.splice(0, taken)
    return bodies
  }

  function becomeIdle(): void {
    for (const resolve of idleWaiters.splice(0)) resolve()
  }

  function sendNext(): void {
    if (underWay) return
    const bodies = takeGroup()
    const uses = keyUses.drain()
    if (bodies.length === 0 && ledger.isEmpty() && uses.length === 0) return void becomeIdle()
    const group: CommitGroup = {
      kind: 'commit',
      group: nextGroup++,
      bodies: bodies.map(toCommit),
      ledger: ledger.drain(),
      keyUses: uses,
    }
    underWay = { group: { ...group, bodies: [] }, bodies, sentMs: monotonicMs() }
    port.post(group, movedBuffers(group.bodies))
  }

  function onReply(reply: WriterReply): void {
    if ((reply.kind !== 'committed' && reply.kind !== 'failed') || !underWay || reply.group !== underWay.group.group) return
    const { bodies, group, sentMs } = underWay
    underWay = null
    events.onGroup(
      reply,
      bodies.reduce((sum, { spans }) => sum + spans, 0),
      monotonicMs() - sentMs,
    )
    if (reply.kind === 'failed') {
      for (const [projectNo, what, count] of group.ledger) ledger.add(projectNo, what, count)
      keyUses.restore(group.keyUses)
      for (const body of bodies) settle(body, refused(reply.code, reply.message))
      // Counts alone are not worth a try that failed just now: they wait for the next flush, and are given up at the end.
      if (waiting.length === 0) return void becomeIdle()
    } else {
      const failed = new Set(reply.failed)
      bodies.forEach((body, at) => {
        settle(body, failed.has(at) ? refused('internal', 'the spans could not be read') : null)
      })
    }
    sendNext()
  }

  return {
    push(body) {
      let resolve: (outcome: Refusal | null) => void = () => {}
      const promise = new Promise<Refusal | null>((done) => {
        resolve = done
      })
      settling.set(body, { promise, resolve })
      pendingSpans += body.spans
      waiting.push(body)
      // At the end of this turn of the event loop, so that what came with it is one group.
      if (waiting.length === 1 && !underWay) setImmediate(sendNext)
    },
    settled(body) {
      const known = settling.get(body)
      if (known) return known.promise
      return Promise.resolve(
        body.state === 'committed' ? null : refused('storage_failed', 'the first copy of a repeated span was not stored'),
      )
    },
    pendingSpans: () => pendingSpans,
    flush: sendNext,
    onReply,
    idle() {
      return new Promise((resolve) => {
        idleWaiters.push(resolve)
        sendNext()
      })
    },
  }
}

function dependsOnFailed({ dependsOn }: AdmittedBody): boolean {
  for (const body of dependsOn) if (body.state === 'failed') return true
  return false
}

function toCommit({ projectNo, body, spans, newSpans, replaced, traces, ledger }: AdmittedBody): BodyToCommit {
  return { projectNo, body: ownBytes(body), spans, newSpans, replaced, traces, ledger: [...ledger] }
}

function movedBuffers(bodies: readonly BodyToCommit[]): ArrayBuffer[] {
  return bodies.map(({ body }) => body.buffer as ArrayBuffer).filter((buffer) => buffer.byteLength > 0)
}
