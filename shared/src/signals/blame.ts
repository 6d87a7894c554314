import { createErrorRelation } from './error-relation.ts'
import { NO_PARENT, type TraceTree } from './trace-tree.ts'

const SERVER = 2
const CLIENT = 3
const CONSUMER = 5
const STATUS_OK = 1

/** Errors that one span hands to its parent; of more, the latest are kept. Bounds the work on wide and deep traces. */
const PASSED_ON_MAX = 8

/** An error on its way up. */
interface Rising {
  origin: number
  /** It was handled on the way (an OK parent, a retry that worked, an own error above): only its words can still show it. */
  handled: boolean
  /** Handed over by a failing server span, which tells better than its client why the call failed. */
  fromServer: boolean
}

/** The index of a failure's origin → the failing ancestors that only passed it on, nearest first. */
export type Blame = Map<number, number[]>

/**
 * Blames each error once, at the deepest failing span whose children did not fail first. A failing ancestor, also one above healthy
 * spans, passes an error on when its text repeats it, when it has no words of its own, or when it is the client of the server span
 * that failed; else it failed by itself. An error that was handled on the way rises further by its words alone.
 */
export function blame(tree: TraceTree): Blame {
  const relation = createErrorRelation(tree.spans)
  const recovered = findRecovered(tree)
  const rising: (Rising[] | undefined)[] = new Array(tree.spans.length)
  const blamed: Blame = new Map()
  for (let at = tree.topDown.length - 1; at >= 0; at--) {
    const i = tree.topDown[at]!
    const { span, detection } = tree.spans[i]!
    let leaving = rising[i] ?? []
    rising[i] = undefined
    if (detection !== null) {
      const passedOn = leaving.filter((error) => passesOn(tree, i, error, relation))
      for (const { origin } of passedOn) blamed.get(origin)!.push(i)
      if (passedOn.length === 0) blamed.set(i, [])
      const own = passedOn.length > 0 ? passedOn : [{ origin: i, handled: false, fromServer: false }]
      leaving = [
        ...own.map((error) => ({ ...error, handled: false })),
        ...leaving.filter((error) => !passedOn.includes(error)).map(asHandled),
      ]
      if (recovered.has(i)) leaving = leaving.map(asHandled)
    } else if (span.status.code === STATUS_OK) leaving = leaving.map(asHandled)
    // A consumer works later: its failure is not the producer's.
    if (span.kind === CONSUMER) leaving = leaving.map(asHandled)
    const parent = tree.parents[i]!
    if (parent === NO_PARENT || leaving.length === 0) continue
    const fromServer = detection !== null && span.kind === SERVER
    rising[parent] = latest(tree, [...(rising[parent] ?? []), ...leaving.map((error) => ({ ...error, fromServer }))])
  }
  return blamed
}

function asHandled(error: Rising): Rising {
  return { ...error, handled: true }
}

function passesOn(tree: TraceTree, i: number, error: Rising, relation: ReturnType<typeof createErrorRelation>): boolean {
  const { span, view } = tree.spans[i]!
  if (error.fromServer && span.kind === CLIENT && !error.handled) return true
  const related = relation(i, error.origin)
  if (related === 'repeats') return true
  if (error.handled) return false
  if (related === 'wordless') return true
  // A child without a word cannot be told from its parent's error, which says more of the same; an agent, though, survives its tools.
  const silent = tree.spans[error.origin]!.detection!.message === null
  return silent && view.kind !== 'agent' && view.kind !== 'workflow'
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
