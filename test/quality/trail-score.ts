import type { HintKind } from '@loopkit/shared/signals/hints/hint-kind'
import type { SignalType } from '@loopkit/shared/signals/signal-type'
import type { TrailLabel } from './trail-traces.ts'

/** One thing said of a trace: at which span what. Several kinds may be said of one span. */
export interface Said {
  location: string
  kind: SignalType | HintKind
}

/** What was said of a trace, and what people said of it. */
export interface TrailCase {
  traceId: string
  labels: readonly TrailLabel[]
  said: readonly Said[]
}

/** Kind → the categories that it claims. */
export type CategoryTable = Partial<Record<SignalType | HintKind, readonly string[]>>

export interface TrailScore {
  /** The official way: recall of each trace's labels, averaged over traces; category F1 weighted by how often each is labelled. */
  categoryF1: number
  locationAccuracy: number
  jointAccuracy: number
  /** Over all labels at once, since recall alone rewards flagging everything. */
  location: Counted
  joint: Counted
}

export interface Counted {
  precision: number
  recall: number
  f1: number
  claims: number
}

/** Scores what was said against the labels; kinds without a category claim nothing. */
export function scoreTrail(cases: readonly TrailCase[], table: CategoryTable): TrailScore {
  const read = cases.map(({ labels, said }) => ({
    labelled: new Set(labels.map(({ location, category }) => `${location} ${category}`)),
    claimed: new Set(said.flatMap(({ location, kind }) => (table[kind] ?? []).map((category) => `${location} ${category}`))),
  }))
  const places = read.map(({ labelled, claimed }) => ({ labelled: heads(labelled), claimed: heads(claimed) }))
  return {
    categoryF1: weightedF1(read.map(({ labelled, claimed }) => ({ labelled: tails(labelled), claimed: tails(claimed) }))),
    locationAccuracy: meanRecall(places),
    jointAccuracy: meanRecall(read),
    location: count(places),
    joint: count(read),
  }
}

interface Sets {
  labelled: ReadonlySet<string>
  claimed: ReadonlySet<string>
}

const heads = (pairs: ReadonlySet<string>) => new Set([...pairs].map((pair) => pair.slice(0, pair.indexOf(' '))))
const tails = (pairs: ReadonlySet<string>) => new Set([...pairs].map((pair) => pair.slice(pair.indexOf(' ') + 1)))
const hitsOf = ({ labelled, claimed }: Sets) => [...labelled].filter((one) => claimed.has(one)).length
const sum = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0)
const ratio = (part: number, whole: number) => (whole === 0 ? 0 : part / whole)

function meanRecall(sets: readonly Sets[]): number {
  const labelled = sets.filter((one) => one.labelled.size > 0)
  return ratio(sum(labelled.map((one) => hitsOf(one) / one.labelled.size)), labelled.length)
}

function count(sets: readonly Sets[]): Counted {
  const hits = sum(sets.map(hitsOf))
  const claims = sum(sets.map(({ claimed }) => claimed.size))
  return countedOf(hits, claims, sum(sets.map(({ labelled }) => labelled.size)))
}

function countedOf(hits: number, claims: number, labels: number): Counted {
  const precision = ratio(hits, claims)
  const recall = ratio(hits, labels)
  return { precision, recall, f1: ratio(2 * precision * recall, precision + recall), claims }
}

/** Each trace has a category or not; F1 of each category, weighted by the traces that have it. */
function weightedF1(sets: readonly Sets[]): number {
  const categories = new Set(sets.flatMap(({ labelled }) => [...labelled]))
  const parts = [...categories].map((category) => {
    const hits = sets.filter(({ labelled, claimed }) => labelled.has(category) && claimed.has(category)).length
    const labels = sets.filter(({ labelled }) => labelled.has(category)).length
    const { f1 } = countedOf(hits, sets.filter(({ claimed }) => claimed.has(category)).length, labels)
    return { f1, labels }
  })
  return ratio(sum(parts.map(({ f1, labels }) => f1 * labels)), sum(parts.map(({ labels }) => labels)))
}
