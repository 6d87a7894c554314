import type { SignalType } from '@loopkit/shared/signals/signal-type'
import type { GroundTruth, PlantedFault } from './ground-truth.ts'

/** A record the product shows as evidence, in the words a reader sees. */
export interface EvidenceRecord {
  traceId: string
  service: string
  /** Span name, operation, tool: whatever says where. */
  names: string[]
  text: string
}

/** A pain the product named. */
export interface NamedPain {
  painId: string
  title: string
  severity: Severity
  signal: SignalType
  count: number
  evidence: EvidenceRecord[]
  /** What is said to set its failures apart, best first, and why nothing is said. */
  contrasts: Record<string, unknown>[]
  noContrasts: string | null
}

export interface Score {
  planted: { id: string; signal: SignalType; hard: boolean; traces: number }[]
  found: { id: string; pain_id: string; count: number; traces: number }[]
  /** Faults with a cause, and at which place among the contrasts it stands; null where it is none of the first three. */
  causes: { id: string; cause: Record<string, string>; place: number | null; said: string }[]
  /** Faults without a cause that are said to have one. */
  invented: { id: string; said: string }[]
  missed: { id: string; signal: SignalType; hard: boolean; why: string }[]
  unplanned: { pain_id: string; title: string; signal: SignalType; severity: Severity; count: number; why: string }[]
}

export type Severity = 'low' | 'medium' | 'high' | 'critical'

/**
 * Compares what was named with what was planted. A fault is found by exactly one pain that has its signal, its place, its words
 * and as many occurrences as were planted; a second pain for the same fault, and any pain with evidence from elsewhere, is unplanned.
 */
export function score({ planted }: GroundTruth, pains: readonly NamedPain[]): Score {
  const found: Score['found'] = []
  const missed: Score['missed'] = []
  const claimed = new Map<PlantedFault, NamedPain>()
  for (const fault of planted) {
    const matching = pains.filter((pain) => isThis(fault, pain)).sort((a, b) => b.count - a.count)
    const [first] = matching
    const { id, signal, hard, traceIds } = fault
    if (first) claimed.set(fault, first)
    if (!first) missed.push({ id, signal, hard, why: 'not named' })
    else if (first.count !== traceIds.length)
      missed.push({ id, signal, hard, why: `counted ${first.count} of ${traceIds.length}` })
    else found.push({ id, pain_id: first.painId, count: first.count, traces: traceIds.length })
  }
  return {
    planted: planted.map(({ id, signal, hard, traceIds }) => ({ id, signal, hard, traces: traceIds.length })),
    found,
    missed,
    causes: [...claimed].flatMap(([fault, pain]) => causeOf(fault, pain)),
    invented: [...claimed].flatMap(([{ id, cause }, pain]) =>
      cause === null && pain.contrasts.some(isCircumstance) ? [{ id, said: saidOf(pain) }] : [],
    ),
    unplanned: pains.filter((pain) => ![...claimed.values()].includes(pain)).map((pain) => unplannedOf(pain, planted)),
  }
}

/** A fault that was missed or whose cause was, or a pain above severity low that nobody planted. */
export const isFailed = ({ missed, causes, unplanned }: Score): boolean =>
  missed.length > 0 || causes.some(({ place }) => place === null) || unplanned.some(({ severity }) => severity !== 'low')

/** A planted cause must be among so many. */
const CONTRASTS_READ = 3

function causeOf({ id, cause }: PlantedFault, pain: NamedPain): Score['causes'] {
  if (cause === null) return []
  const place = pain.contrasts.slice(0, CONTRASTS_READ).findIndex((attributes) => isSame(attributes, cause))
  return [{ id, cause, place: place === -1 ? null : place + 1, said: saidOf(pain) }]
}

/** Exactly these attributes, no fewer and no more. */
function isSame(attributes: Record<string, unknown>, cause: Record<string, string>): boolean {
  const names = Object.keys(attributes)
  return names.length === Object.keys(cause).length && names.every((name) => attributes[name] === cause[name])
}

/** Whether it speaks of what the demo plants causes in. */
const isCircumstance = (attributes: Record<string, unknown>): boolean =>
  Object.keys(attributes).some((name) => /^(service\.version|cloud\.region|app\.client|app\.plan)$/.test(name))

const saidOf = ({ contrasts, noContrasts }: NamedPain): string =>
  contrasts.length > 0 ? contrasts.map((attributes) => JSON.stringify(attributes)).join(' ') : (noContrasts ?? 'nothing')

function isThis(fault: PlantedFault, { signal, evidence }: NamedPain): boolean {
  if (signal !== fault.signal || evidence.length === 0) return false
  const words = new RegExp(fault.text)
  const traces = new Set(fault.traceIds)
  return evidence.every(
    ({ traceId, service, names, text }) =>
      traces.has(traceId) &&
      service === fault.service &&
      names.some((name) => isPlace(name, fault.operation)) &&
      words.test(text),
  )
}

/** `chat` is the place of `chat atlas-small`; `pick shelf` only of itself. */
const isPlace = (name: string, operation: string): boolean => name === operation || name.startsWith(`${operation} `)

function unplannedOf(pain: NamedPain, planted: readonly PlantedFault[]): Score['unplanned'][number] {
  const { painId, title, signal, severity, count, evidence } = pain
  const near = planted.find(({ traceIds }) => evidence.some(({ traceId }) => traceIds.includes(traceId)))
  const why = near
    ? `evidence lies in traces of ${near.id}, which is ${near.signal} at ${near.service} ${near.operation}`
    : 'nothing was planted there'
  return { pain_id: painId, title, signal, severity, count, why }
}
