import type { OtlpSpan } from '../otlp/model.ts'
import { isCancelled } from './cancelled.ts'
import { createErrorRelation } from './error-relation.ts'
import type { TraceSpan } from './model.ts'
import { compareBigInts, NO_PARENT, type TraceTree } from './trace-tree.ts'

const SERVER = 2
const CLIENT = 3
const CONSUMER = 5
const STATUS_OK = 1

/** Errors that one span hands to its parent; of more, the latest are kept. Bounds the work on wide and deep traces. */
const PASSED_ON_MAX = 8

/** An error on its way up. */
interface Rising {
  origin: number
  /** The nearest failing span below, in whose words the error may be repeated: the origin, or who passed it on last. */
  told: number
  /** It was handled on the way (an OK parent, a retry that worked, an own error above): only its words can still show it. */
  handled: boolean
  /** The child that handed it over. */
  through: number
  /** No span on the way worked on after it, so the next ancestor may have failed of it. */
  wasTheEnd: boolean
}

/** The index of a failure's origin → the failing ancestors that only passed it on, or work that was cancelled for it, nearest first. */
export type Blame = Map<number, number[]>

/**
 * Blames each error once, at the deepest failing span whose children did not fail first. A failing ancestor, also one above healthy
 * spans, passes an error on when its text repeats it, when it has no words of its own, when it is the client of the server span
 * that failed, or when a child's failure was the last that happened in it, in whatever words it reports that; else it failed by
 * itself. An error that was handled on the way rises further by its words alone.
 */
export function blame(tree: TraceTree, templateOf?: (text: string) => string): Blame {
  const relation = createErrorRelation(tree.spans, templateOf)
  const recovered = findRecovered(tree)
  const lastChildren = findLastChildren(tree)
  const rising: (Rising[] | undefined)[] = new Array(tree.spans.length)
  const blamed: Blame = new Map()
  for (let at = tree.topDown.length - 1; at >= 0; at--) {
    const i = tree.topDown[at]!
    const { span, detection } = tree.spans[i]!
    // A healthy span that no error reaches: most of them.
    if (detection === null && rising[i] === undefined) continue
    let leaving = joinCancelled({ tree, blamed }, rising[i] ?? [])
    rising[i] = undefined
    if (detection !== null) {
      const passedOn = leaving.filter((error) => passesOn({ tree, lastChildren, relation }, i, error))
      const own = settle({ tree, blamed, relation }, i, passedOn)
      leaving = [
        ...own.map((error) => ({ ...error, told: i, handled: false, wasTheEnd: true })),
        ...leaving.filter((error) => !passedOn.includes(error)).map(asHandled),
      ]
      if (recovered.has(i)) leaving = leaving.map(asHandled)
    } else if (span.status.code === STATUS_OK) leaving = leaving.map(asHandled)
    else
      leaving = leaving.map((error) => ({ ...error, wasTheEnd: isInternal(span) && wasTheEnd(tree, i, { error, lastChildren }) }))
    // A consumer works later: its failure is not the producer's.
    if (span.kind === CONSUMER) leaving = leaving.map(asHandled)
    const parent = tree.parents[i]!
    if (parent === NO_PARENT || leaving.length === 0) continue
    rising[parent] = latest(tree, [...(rising[parent] ?? []), ...leaving.map((error) => ({ ...error, through: i }))])
  }
  return blamed
}

interface Settling {
  tree: TraceTree
  blamed: Blame
}

/** Blames the span, or those whose errors it passed on; where it failed by itself and they were only cancelled for it, the span. */
function settle(
  { tree, blamed, relation }: Settling & Pick<Judging, 'relation'>,
  i: number,
  passedOn: readonly Rising[],
): readonly Rising[] {
  const isTimeout = tree.spans[i]!.detection!.signal === 'timeout'
  const isCause = passedOn.every(
    ({ origin }) => isCancelled(tree.spans[origin]!.detection!) && (isTimeout || relation(i, origin) === 'own'),
  )
  if (passedOn.length > 0 && !isCause) {
    for (const { origin } of passedOn) blamed.get(origin)!.push(i)
    return passedOn
  }
  const consequences = passedOn.flatMap(({ origin }) => {
    const failing = [origin, ...blamed.get(origin)!].reverse()
    blamed.delete(origin)
    return failing
  })
  blamed.set(i, consequences)
  return [{ origin: i, told: i, handled: false, through: i, wasTheEnd: true }]
}

/** What was begun together is cancelled when one of it fails: that is no failure of its own. */
function joinCancelled({ tree, blamed }: Settling, errors: Rising[]): Rising[] {
  if (errors.length < 2) return errors
  const isVictim = errors.map(({ origin, handled }) => !handled && isCancelled(tree.spans[origin]!.detection!))
  const causes = errors.filter(({ handled }, n) => !handled && !isVictim[n])
  const endOf = ({ through }: Rising) => tree.spans[through]!.span.endUnixNano
  const [cause] = causes.toSorted((a, b) => compareBigInts(endOf(a), endOf(b)) || a.origin - b.origin)
  if (cause === undefined) return errors
  return errors.filter((error, n) => {
    if (!isVictim[n] || endOf(error) < endOf(cause) || error.origin === cause.origin) return true
    blamed.get(cause.origin)!.push(error.origin, ...blamed.get(error.origin)!)
    blamed.delete(error.origin)
    return false
  })
}

function asHandled(error: Rising): Rising {
  return { ...error, handled: true }
}

interface Judging {
  tree: TraceTree
  /** Of each span, its child that started last; `NO_PARENT` where it has none. */
  lastChildren: Int32Array
  relation: ReturnType<typeof createErrorRelation>
}

function passesOn({ tree, lastChildren, relation }: Judging, i: number, error: Rising): boolean {
  const { span, view, detection } = tree.spans[i]!
  if (!error.handled && HOLDER.test(detection!.errorType ?? '')) return true
  if (!error.handled && span.kind === CLIENT && isFailingServer(tree.spans[error.through]!)) return true
  const related = relation(i, error.origin)
  if (related === 'repeats' || (error.told !== error.origin && relation(i, error.told) === 'repeats')) return true
  if (error.handled) return false
  if (related === 'wordless') return true
  if (wasTheEnd(tree, i, { error, lastChildren })) return true
  // A child without a word cannot be told from its parent's error, which says more of the same; an agent, though, survives its tools.
  const silent = tree.spans[error.origin]!.detection!.message === null
  return silent && view.kind !== 'agent' && view.kind !== 'workflow'
}

/** Errors that by their names only hold those of what was begun together, or ran elsewhere. */
const HOLDER =
  /(?:^|\.)(?:AggregateError|AggregateException|(?:Base)?ExceptionGroup|CompositeException|MultiError|CompletionException|ExecutionException|InvocationTargetException)$/

/** The server side tells better than its client why the call failed. */
function isFailingServer({ span, detection }: TraceSpan): boolean {
  return detection !== null && span.kind === SERVER
}

/** A span that nothing says to have succeeded: neither a call that was answered nor an answer. */
function isInternal({ kind }: OtlpSpan): boolean {
  return kind !== CLIENT && kind !== SERVER
}

/**
 * Whether a child's failure was the end of this span's work: nothing was begun after it, and the span ended soon, after half of its
 * time at most. Services report a callee's failure in words of their own ("could not place the order").
 */
function wasTheEnd(tree: TraceTree, i: number, { error, lastChildren }: { error: Rising; lastChildren: Int32Array }): boolean {
  if (!error.wasTheEnd) return false
  const { startUnixNano, endUnixNano } = tree.spans[i]!.span
  const failedAt = failureTime(tree.spans[i]!, tree.spans[error.through]!)
  if (failedAt === 0n || failedAt > endUnixNano) return false
  const goesOn = tree.spans[lastChildren[i]!]!.span.startUnixNano > failedAt
  return !goesOn && (endUnixNano - failedAt) * 2n <= endUnixNano - startUnixNano
}

/**
 * When a child had failed, by its parent's clock. Another service's span that lies outside of its parent's time has another clock: it is
 * thought in the middle, as if request and answer had taken as long.
 */
function failureTime(parent: TraceSpan, { span, view }: TraceSpan): bigint {
  const { startUnixNano, endUnixNano } = span
  const isInside = startUnixNano >= parent.span.startUnixNano && endUnixNano <= parent.span.endUnixNano
  if (isInside || endUnixNano === 0n || view.service === parent.view.service) return endUnixNano
  const slack = parent.span.endUnixNano - parent.span.startUnixNano - (endUnixNano - startUnixNano)
  return slack < 0n ? endUnixNano : parent.span.endUnixNano - slack / 2n
}

/** `spans` are sorted by start, so the child of the highest index started last. */
function findLastChildren({ parents }: TraceTree): Int32Array {
  const last = new Int32Array(parents.length).fill(NO_PARENT)
  for (let i = 0; i < parents.length; i++) if (parents[i] !== NO_PARENT) last[parents[i]!] = i
  return last
}

/** Unhandled before handled, later before earlier; `spans` are sorted by start, so the index is the time. */
function latest(tree: TraceTree, errors: Rising[]): Rising[] {
  if (errors.length <= PASSED_ON_MAX) return errors
  const rank = ({ origin, handled }: Rising) => (handled ? 0 : tree.spans.length) + origin
  return errors.sort((a, b) => rank(b) - rank(a)).slice(0, PASSED_ON_MAX)
}

/** Failing spans after which a sibling did the same work and succeeded: a retry that worked. */
function findRecovered(tree: TraceTree): Set<number> {
  const workOf = (i: number) => `${tree.parents[i]} ${tree.spans[i]!.span.kind} ${tree.spans[i]!.view.operation}`
  const failing = new Map<string, number[]>()
  for (let i = 0; i < tree.spans.length; i++) {
    if (tree.spans[i]!.detection === null || tree.parents[i] === NO_PARENT) continue
    const work = workOf(i)
    const same = failing.get(work)
    if (same) same.push(i)
    else failing.set(work, [i])
  }
  const recovered = new Set<number>()
  if (failing.size === 0) return recovered
  for (let i = tree.spans.length - 1; i >= 0; i--) {
    if (tree.spans[i]!.detection !== null || tree.parents[i] === NO_PARENT) continue
    const work = workOf(i)
    const same = failing.get(work)
    if (same === undefined) continue
    // The latest success of this work: all that failed before it were retried.
    for (const failed of same) if (failed < i) recovered.add(failed)
    failing.delete(work)
  }
  return recovered
}
