import { toHex } from '../otlp/ids.ts'
import { exceptionGround } from '../span/log-error.ts'
import type { Blame } from './blame.ts'
import { createErrorRelation, hasOwnWords } from './error-relation.ts'
import type { TraceSpan } from './model.ts'
import { compareBigInts, compareTexts, NO_PARENT, type TraceTree } from './trace-tree.ts'

/** Failures that one log record is compared with; of more, the latest. Bounds the work on traces with thousands. */
const COMPARED_MAX = 64
/** Log records of one trace whose words are compared, the first; the others are told apart by the spans they name and their keys. */
const LOGS_COMPARED_MAX = 2_000

/** A failure that only log records tell of. */
export interface LogFailure {
  log: TraceSpan
  /** Index in the tree of the span that it names; `NO_PARENT` where that is not known. */
  named: number
  /** Later records of the same failure. */
  repeats: TraceSpan[]
}

export interface LogBlame {
  /** Index of a failure's origin → the records that tell of it. */
  told: Map<number, TraceSpan[]>
  own: LogFailure[]
}

/** Failing log records by time, then id: the same for every order of arrival. */
export function sortLogs(logs: readonly TraceSpan[]): TraceSpan[] {
  const byId = new Map(logs.map((log) => [toHex(log.span.spanId), log]))
  return [...byId]
    .filter(([, { detection }]) => detection !== null)
    .sort(([a, one], [b, other]) => compareBigInts(one.span.startUnixNano, other.span.startUnixNano) || compareTexts(a, b))
    .map(([, log]) => log)
}

/**
 * Gives spans that failed without a word the exception that a log record of theirs carries, as if it had come as an event of
 * the span: exporters send it either way. The last one counts, which ended the span.
 */
export function adoptExceptions(spans: readonly TraceSpan[], logs: readonly TraceSpan[]): readonly TraceSpan[] {
  const last = new Map<string, TraceSpan>()
  for (const log of logs) {
    if (log.span.parentSpanId !== null && carriesException(log)) last.set(toHex(log.span.parentSpanId), log)
  }
  if (last.size === 0) return spans
  return spans.map((one) => {
    const log = one.detection === null ? undefined : last.get(toHex(one.span.spanId))
    return log === undefined ? one : adopt(one, log)
  })
}

function adopt(one: TraceSpan, log: TraceSpan): TraceSpan {
  const own = one.detection!
  const said = log.detection!
  if (hasOwnWords(own) || own.stack !== null) return one
  return {
    ...one,
    detection: {
      ...own,
      signal: own.signal === 'error_status' ? said.signal : own.signal,
      errorType: said.errorType ?? own.errorType,
      message: said.message ?? own.message,
      stack: said.stack,
      because: `${own.because}; ${said.because}`,
    },
  }
}

/**
 * Says of each failing log record of a trace which failure it tells of: that of the span it names or of the nearest failing
 * span above, where that failed with the same error or without a word, or any other of the trace with the same error. A
 * record without an exception on a failing span tells of that, in whatever words. What is left failed by itself, once for
 * each span it names and each key, whatever repeats it in spans above or below.
 */
export function blameLogs(
  tree: TraceTree,
  blamed: Blame,
  { logs, keyOf }: { logs: readonly TraceSpan[]; keyOf: (log: TraceSpan) => string },
): LogBlame {
  const compared = logs.slice(0, LOGS_COMPARED_MAX)
  const relation = createErrorRelation([...tree.spans, ...compared])
  const end = tree.spans.length + compared.length
  const blaming: Blaming = {
    tree,
    blamed,
    originsOf: originsByFailing(blamed),
    failingAbove: findFailingAbove(tree),
    isSame: (a, b) => a < end && b < end && (relation(a, b) === 'repeats' || relation(b, a) === 'repeats'),
    isRelated: createIsRelated(tree),
    own: [],
    ownByKey: new Map(),
  }
  const told = new Map<number, TraceSpan[]>()
  const indexOf = new Map(tree.ids.map((id, i) => [id, i]))
  logs.forEach((log, n) => {
    const { parentSpanId } = log.span
    const named = parentSpanId === null ? NO_PARENT : (indexOf.get(toHex(parentSpanId)) ?? NO_PARENT)
    const candidate = { log, at: tree.spans.length + n, named, key: keyOf(log) }
    const origin = originToldBy(blaming, candidate)
    if (origin === null) addOwn(blaming, candidate)
    else tellOf(told, origin, log)
  })
  return { told, own: blaming.own }
}

function tellOf(told: Map<number, TraceSpan[]>, origin: number, log: TraceSpan): void {
  const known = told.get(origin)
  if (known) known.push(log)
  else told.set(origin, [log])
}

interface Blaming {
  tree: TraceTree
  blamed: Blame
  /** Of each failing span, the origins of what it passed on; its own index where it failed by itself. */
  originsOf: ReadonlyMap<number, number[]>
  /** Of each span, itself or the nearest one above it that failed. */
  failingAbove: Int32Array
  isSame: (a: number, b: number) => boolean
  isRelated: (a: number, b: number) => boolean
  own: (LogFailure & { at: number })[]
  ownByKey: Map<string, LogFailure>
}

interface Candidate {
  log: TraceSpan
  /** Its index for comparisons. */
  at: number
  named: number
  key: string
}

function originsByFailing(blamed: Blame): Map<number, number[]> {
  const origins = new Map<number, number[]>()
  const add = (failing: number, origin: number) => {
    const known = origins.get(failing)
    if (known) known.push(origin)
    else origins.set(failing, [origin])
  }
  for (const [origin, ancestors] of blamed) {
    add(origin, origin)
    for (const ancestor of ancestors) add(ancestor, origin)
  }
  return origins
}

function findFailingAbove({ spans, parents, topDown }: TraceTree): Int32Array {
  const found = new Int32Array(spans.length).fill(NO_PARENT)
  for (const i of topDown) {
    const parent = parents[i]!
    if (spans[i]!.detection !== null) found[i] = i
    else if (parent !== NO_PARENT) found[i] = found[parent]!
  }
  return found
}

/** Whether one span is the other or above it, as far as is known. Spans below one stand in one run of numbers. */
function createIsRelated({ parents, topDown }: TraceTree): (a: number, b: number) => boolean {
  const size = new Int32Array(parents.length).fill(1)
  for (let at = topDown.length - 1; at >= 0; at--) {
    const parent = parents[topDown[at]!]!
    if (parent !== NO_PARENT) size[parent]! += size[topDown[at]!]!
  }
  const first = new Int32Array(parents.length)
  const next = new Int32Array(parents.length)
  let nextRoot = 0
  for (const i of topDown) {
    const parent = parents[i]!
    first[i] = parent === NO_PARENT ? nextRoot : next[parent]!
    if (parent === NO_PARENT) nextRoot += size[i]!
    else next[parent]! += size[i]!
    next[i] = first[i]! + 1
  }
  const isAbove = (a: number, b: number) => first[b]! >= first[a]! && first[b]! < first[a]! + size[a]!
  return (a, b) => a === NO_PARENT || b === NO_PARENT || isAbove(a, b) || isAbove(b, a)
}

function originToldBy(blaming: Blaming, { log, at, named }: Candidate): number | null {
  const { tree, blamed, originsOf, failingAbove, isSame } = blaming
  const failing = named === NO_PARENT ? NO_PARENT : failingAbove[named]!
  if (failing !== NO_PARENT) {
    const origins = originsOf.get(failing) ?? []
    const same = latest(origins).find((origin) => isSame(at, origin))
    if (same !== undefined) return same
    const isWordless = !hasOwnWords(tree.spans[failing]!.detection!) || !hasOwnWords(log.detection!)
    const isComment = failing === named && !carriesException(log)
    if (isWordless || isComment || isSame(at, failing)) return origins[0] ?? null
  }
  return latest([...blamed.keys()]).find((origin) => isSame(at, origin)) ?? null
}

function addOwn({ own, ownByKey, isSame, isRelated }: Blaming, { log, at, named, key }: Candidate): void {
  const place = `${named} ${key}`
  const known = ownByKey.get(place) ?? latest(own).find((head) => isSame(at, head.at) && isRelated(head.named, named))
  if (known) known.repeats.push(log)
  else {
    const failure = { log, at, named, repeats: [] }
    own.push(failure)
    ownByKey.set(place, failure)
  }
}

function latest<T>(all: readonly T[]): readonly T[] {
  return all.length <= COMPARED_MAX ? all : all.slice(-COMPARED_MAX)
}

function carriesException({ span }: TraceSpan): boolean {
  return exceptionGround(span.log!) !== null
}
