import { freeMemory } from '@loopkit/shared/otlp/free-memory'
import type { AdmittedBody } from '../admit/admission.ts'
import type { KeyUses } from '../admit/key-uses.ts'
import type { Ledger } from '../admit/ledger.ts'
import { type Refusal, refused } from '../receive/outcome.ts'
import type { BodyToCommit, CommitGroup, WriterReply } from './messages.ts'
import { projectsFirst } from './projects-first.ts'

/** The writer's end of the line. */
export interface WriterPort {
  /** Copies the group or takes it; its bodies are not needed any more. */
  post(group: CommitGroup): void
}

/** What the queue tells about bodies and commits. */
export interface CommitEvents {
  onCommitted(body: AdmittedBody): void
  onRevoked(body: AdmittedBody): void
  /** After every group; `waitedMs` is from handing over to the answer. */
  onGroup(reply: Extract<WriterReply, { kind: 'committed' | 'failed' }>, spans: number, waitedMs: number): void
}

/** Bodies of one group, in bytes and spans: larger groups compress no better and answer later. */
const GROUP_MAX_BYTES = 4 * 1024 ** 2
const GROUP_MAX_SPANS = 20_000
/** Groups are numbered in a ring that fits a 32-bit cell. */
const GROUP_NUMBERS = 2 ** 30

/**
 * Senders of small bodies answer an acknowledgement with the next body at once: a commit right after one of several such
 * bodies waits until as many are there, at most so long. Without it a commit has half as many bodies (10 spans a body, 16 connections:
 * 10 % less processor time, half the bytes written).
 */
const HOLD_MS = 1
/** Bodies of the last commit from which on the next one waits, and their mean size up to which it does. */
const HOLD_MIN_BODIES = 4
const HOLD_BODY_MAX_BYTES = 16 * 1024

export interface CommitQueueOptions {
  port: WriterPort
  ledger: Ledger
  keyUses: KeyUses
  events: CommitEvents
  /** Why nothing must be stored any more, or null: the process is about to end. */
  endedBecause(): Refusal | null
  monotonicMs(): number
}

interface Settling {
  promise: Promise<Refusal | null>
  resolve(outcome: Refusal | null): void
}

/** In place of bytes that were handed over, so that they are not held twice. */
const POSTED = new Uint8Array(0)
/** Bodies from here on give their memory back as soon as the writer has them. */
const FREED_MIN_BYTES = 1024 ** 2
const FIRST_COPY_LOST = refused('storage_failed', 'the first copy of a repeated span was not stored')

/**
 * Group commit: whatever arrived while a commit ran is the next commit, at once but for HOLD_MS. One group is under way at a time,
 * bodies of a project are committed in the order they were pushed; few bodies of one do not wait for the many of another.
 */
export class CommitQueue {
  readonly #options: CommitQueueOptions
  readonly #waiting: AdmittedBody[] = []
  readonly #settling = new Map<AdmittedBody, Settling>()
  readonly #idleWaiters: (() => void)[] = []
  /** Those who wait for counts that wait for the next group. */
  readonly #countWaiters: (() => void)[] = []
  #underWay: { group: CommitGroup; bodies: AdmittedBody[]; bytes: number; sentMs: number; counted: (() => void)[] } | null = null
  /** The next group waits until so many bodies are there. */
  #held: { bodies: number; timer: NodeJS.Timeout } | null = null
  /** The group before let some projects go first: this one takes everything. */
  #letFirst = false
  #nextGroup = 1
  #pendingSpans = 0

  constructor(options: CommitQueueOptions) {
    this.#options = options
  }

  push(body: AdmittedBody): void {
    this.#settling.set(body, Promise.withResolvers<Refusal | null>())
    this.#pendingSpans += body.spans
    this.#waiting.push(body)
    // At the end of this turn of the event loop, so that what came with it is one group.
    if (this.#underWay || this.#waiting.length !== (this.#held?.bodies ?? 1)) return
    setImmediate(() => this.flush())
  }

  /** null when the body is durable, else why it is not. For any body that was pushed, at any time. */
  settled(body: AdmittedBody): Promise<Refusal | null> {
    const known = this.#settling.get(body)
    return known ? known.promise : Promise.resolve(body.state === 'committed' ? null : FIRST_COPY_LOST)
  }

  /** Resolves when the counts that wait now were written, or could not be: they are not worth refusing anything for. */
  counted(): Promise<void> {
    return new Promise((resolve) => {
      this.#countWaiters.push(resolve)
      if (!this.#underWay && !this.#held && this.#countWaiters.length === 1) setImmediate(() => this.flush())
    })
  }

  /** Spans that were pushed and are not committed. */
  get pendingSpans(): number {
    return this.#pendingSpans
  }

  /** Sends the next group, counts that wait included, unless one is under way. */
  flush(): void {
    if (this.#underWay) return
    this.#release()
    const { port, ledger, keyUses, monotonicMs, endedBecause } = this.#options
    const ended = endedBecause()
    if (ended) {
      for (const body of this.#waiting.splice(0)) this.#settle(body, ended)
      return void this.#becomeIdle()
    }
    const bodies = this.#takeGroup()
    const uses = keyUses.drain()
    if (bodies.length === 0 && ledger.isEmpty() && uses.length === 0) return void this.#becomeIdle()
    const group: CommitGroup = {
      kind: 'commit',
      group: this.#nextGroup,
      bodies: bodies.map(toCommit),
      ledger: ledger.drain(),
      keyUses: uses,
    }
    this.#nextGroup = (this.#nextGroup % GROUP_NUMBERS) + 1
    const bytes = bodies.reduce((sum, { body }) => sum + body.length, 0)
    this.#underWay = {
      group: { ...group, bodies: [] },
      bodies,
      bytes,
      sentMs: monotonicMs(),
      counted: this.#countWaiters.splice(0),
    }
    port.post(group)
    for (const body of bodies) {
      // Small ones are memory of the next body.
      if (body.body.length >= FREED_MIN_BYTES) freeMemory(body.body)
      body.body = POSTED
    }
  }

  onReply(reply: WriterReply): void {
    if ((reply.kind !== 'committed' && reply.kind !== 'failed') || reply.group !== this.#underWay?.group.group) return
    const { bodies, bytes, group, sentMs, counted } = this.#underWay
    this.#underWay = null
    for (const resolve of counted) resolve()
    const { events, monotonicMs } = this.#options
    const spans = bodies.reduce((sum, body) => sum + body.spans, 0)
    events.onGroup(reply, spans, monotonicMs() - sentMs)
    if (reply.kind === 'failed') {
      this.#takeBack(group, bodies, refused(reply.code, reply.message))
      // Counts alone are not worth a try that failed just now: they wait for the next flush, and are given up at the end.
      if (this.#waiting.length === 0) return void this.#becomeIdle()
    } else {
      const failed = new Set(reply.failed)
      bodies.forEach((body, at) => {
        body.commit = reply.commit
        this.#settle(body, failed.has(at) ? refused('internal', 'the spans could not be read') : null)
      })
      if (bodies.length >= HOLD_MIN_BODIES && bytes <= bodies.length * HOLD_BODY_MAX_BYTES) return void this.#hold(bodies.length)
    }
    this.flush()
  }

  #hold(more: number): void {
    this.#held = { bodies: Math.max(more, this.#waiting.length + 1), timer: setTimeout(() => this.flush(), HOLD_MS) }
  }

  #release(): void {
    clearTimeout(this.#held?.timer)
    this.#held = null
  }

  /** Resolves when nothing is waiting or under way. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#idleWaiters.push(resolve)
      this.flush()
    })
  }

  #takeGroup(): AdmittedBody[] {
    const bodies: AdmittedBody[] = []
    let bytes = 0
    let spans = 0
    let isFull = false
    const first = this.#letFirst ? null : projectsFirst(this.#waiting)
    this.#letFirst = first !== null
    for (const body of this.#waiting.splice(0)) {
      isFull ||= bodies.length > 0 && (bytes + body.body.length > GROUP_MAX_BYTES || spans + body.spans > GROUP_MAX_SPANS)
      // Within a project the order stays: a body may depend on one that came before.
      if (isFull || (first && !first.has(body.projectNo))) {
        this.#waiting.push(body)
        continue
      }
      if (dependsOnFailed(body)) {
        this.#settle(body, FIRST_COPY_LOST)
        continue
      }
      bodies.push(body)
      bytes += body.body.length
      spans += body.spans
    }
    return bodies
  }

  #takeBack(group: CommitGroup, bodies: readonly AdmittedBody[], why: Refusal): void {
    const { ledger, keyUses } = this.#options
    for (const [projectNo, what, count] of group.ledger) ledger.add(projectNo, what, count)
    keyUses.restore(group.keyUses)
    for (const body of bodies) this.#settle(body, why)
  }

  #settle(body: AdmittedBody, outcome: Refusal | null): void {
    const { events } = this.#options
    this.#pendingSpans -= body.spans
    if (outcome) events.onRevoked(body)
    else events.onCommitted(body)
    this.#settling.get(body)?.resolve(outcome)
    this.#settling.delete(body)
  }

  #becomeIdle(): void {
    for (const resolve of [...this.#countWaiters.splice(0), ...this.#idleWaiters.splice(0)]) resolve()
  }
}

function dependsOnFailed({ dependsOn }: AdmittedBody): boolean {
  for (const body of dependsOn) if (body.state === 'failed') return true
  return false
}

function toCommit({ projectNo, recordKind, body, spans, newSpans, replaced, traces, ledger }: AdmittedBody): BodyToCommit {
  return { projectNo, recordKind, body, spans, newSpans, replaced, traces, ledger: [...ledger] }
}
