import type { SignalType } from '@loopkit/shared/signals/signal-type'
import type { Severity } from '../../domain/packet/model.ts'
import { failuresOf } from '../../domain/pain-facts.ts'
import { severityOf } from '../../domain/weigh-pain.ts'
import type { ObservedPain } from '../../telemetry/pains/observed-pain.ts'

/** A pain that somebody has yet to decide about, as it is kept with its observation. */
export interface WaitingPain {
  painId: string
  title: string
  severity: Severity
  signal: SignalType
  service: string
  operation: string
  count: number
  sessionCount: number
  evidenceIds: string[]
  firstSeenMs: number
  lastSeenMs: number
  isFirst: boolean
}

const SEVERITIES: readonly Severity[] = ['low', 'medium', 'high', 'critical']
const EVIDENCE_MAX = 5

export function toWaiting({ seen, facts, isFirst, evidenceIds }: ObservedPain): WaitingPain {
  return {
    painId: seen.painId,
    title: seen.title,
    severity: severityOf(facts),
    signal: facts.signal,
    service: facts.service,
    operation: facts.operation,
    count: failuresOf(facts),
    sessionCount: facts.sessions,
    evidenceIds,
    firstSeenMs: facts.firstEventMs,
    lastSeenMs: facts.lastEventMs,
    isFirst,
  }
}

/**
 * What waited before and what has come since, each pain once: first what came since, as ranked, with what waited of it added; then
 * the rest that waited. Sessions are counted for each claim by itself, so a session that met a pain in both counts twice.
 */
export function joinWaiting(waited: readonly WaitingPain[], come: readonly WaitingPain[]): WaitingPain[] {
  const left = new Map(waited.map((pain) => [pain.painId, pain]))
  const joined = come.map((pain) => {
    const before = left.get(pain.painId)
    left.delete(pain.painId)
    return before ? addUp(before, pain) : pain
  })
  return [...joined, ...left.values()]
}

/** Pains that were merged while they waited are one, named as the first of them that bears the name, else as the first. */
export function mergeWaiting(pains: readonly WaitingPain[], rootId: (painId: string) => string): WaitingPain[] {
  const byRoot = Map.groupBy(pains, ({ painId }) => rootId(painId))
  return [...byRoot].map(([painId, members]) => {
    const named = members.find((pain) => pain.painId === painId) ?? members[0]!
    const others = members.filter((pain) => pain !== named)
    return { ...others.reduce((sum, pain) => addUp(pain, sum), named), painId }
  })
}

function addUp(before: WaitingPain, now: WaitingPain): WaitingPain {
  return {
    ...now,
    severity: SEVERITIES[Math.max(SEVERITIES.indexOf(before.severity), SEVERITIES.indexOf(now.severity))]!,
    count: before.count + now.count,
    sessionCount: before.sessionCount + now.sessionCount,
    evidenceIds: [...new Set([...now.evidenceIds, ...before.evidenceIds])].slice(0, EVIDENCE_MAX),
    firstSeenMs: Math.min(before.firstSeenMs, now.firstSeenMs),
    lastSeenMs: Math.max(before.lastSeenMs, now.lastSeenMs),
    isFirst: before.isFirst || now.isFirst,
  }
}
