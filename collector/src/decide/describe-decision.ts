import { toIndexText } from '@loopkit/shared/database/telemetry/index-text'
import type { ChangeMarker } from '@loopkit/shared/signals/change-markers'
import type { Failure, Fingerprint, RunEntry, SessionPart } from '@loopkit/shared/signals/model'
import { clampNano, nanoToMs } from '@loopkit/shared/span/nanoseconds'
import { eventNanoOf } from '../write/index-spans.ts'
import type { Judging } from './judge-stored.ts'
import type { OpenTrace } from './open-rows.ts'
import type { DecidedMarker } from './write-markers.ts'

/** What rows say of a judged trace: plain values, so that it may go from thread to thread. */
export interface TraceDecision {
  trace: OpenTrace
  /** It has too many spans to be judged: nothing is known of its failures, and what was is left as it is. */
  isTooLarge: boolean
  /** Its row stays, so that it is judged again for spans that never end. */
  awaitsEnd: boolean
  failures: DecidedFailure[]
  /** Those that are to have a row. */
  sessions: DecidedSession[]
  markers: DecidedMarker[]
}

export interface DecidedFailure {
  /** Signed 64-bit. */
  spanId: bigint
  fingerprint: DecidedFingerprint
  sessionId: string
  service: string
  /** '' where there is none. */
  release: string
  eventMs: number
  weight: number
  /** JSON list. */
  services: string
  endedTrace: boolean
}

/** A row of `fingerprint`; one object for all failures of the trace that share it. */
export interface DecidedFingerprint {
  key: Uint8Array
  parentKey: Uint8Array
  previousKey: Uint8Array | null
  signal: string
  service: string
  operation: string
  errorType: string | null
  template: string
  message: string | null
  /** JSON list. */
  steps: string
}

export interface DecidedSession extends Omit<SessionPart, 'startUnixNano' | 'endUnixNano'> {
  startMs: number
  endMs: number
  /** Of which its cost is measured; null where it calls no model. */
  run: { service: string; operation: string; spanId: Uint8Array } | null
}

/** Texts of a fingerprint's row, in characters: for people, the whole is in the record. */
const TEXT_MAX = 2_000
const SERVICES_MAX = 50

export function describeDecision({ trace, judged, awaitsEnd, markers }: Judging): TraceDecision {
  if (judged === null) return { trace, isTooLarge: true, awaitsEnd: false, failures: [], sessions: [], markers: [] }
  const { failures, sessions, runEntries } = judged
  const fingerprints = new Map<Fingerprint, DecidedFingerprint>()
  const isAlone = !trace.decidedBefore && sessions.length === 1
  return {
    trace,
    isTooLarge: false,
    awaitsEnd,
    failures: failures.map((failure) => describeFailure(trace, failure, fingerprints)),
    sessions: sessions.filter((part) => needsRow(part, isAlone)).map((part) => describeSession(part, runEntries)),
    markers: markers.map((marker) => describeMarker(trace, marker)),
  }
}

/**
 * A trace that named no session stands for itself and is found by its failures. It has a row only for what they do not say:
 * work of an agent, a user, other sessions in it, or a later arrival than the one that was decided first.
 */
function needsRow(part: SessionPart, isAlone: boolean): boolean {
  if (part.explicit || part.agent !== null || part.turns + part.toolCalls > 0) return true
  return part.failures > 0 && (part.user !== null || !isAlone)
}

function describeFailure(
  { lastReceivedMs }: OpenTrace,
  { span, view, detection, fingerprint, sessionId, weight, propagatedTo, endedTrace }: Failure,
  fingerprints: Map<Fingerprint, DecidedFingerprint>,
): DecidedFailure {
  const service = toIndexText(view.service)
  let described = fingerprints.get(fingerprint)
  if (!described) {
    described = {
      key: fingerprint.key,
      parentKey: fingerprint.parentKey,
      previousKey: fingerprint.previousKey,
      signal: detection.signal,
      service,
      operation: toIndexText(view.operation),
      errorType: detection.errorType === null ? null : toIndexText(detection.errorType),
      template: clip(fingerprint.template),
      message: detection.message === null ? null : clip(detection.message),
      steps: JSON.stringify(fingerprint.steps.map(({ step, value }) => ({ step, value: clip(value) }))),
    }
    fingerprints.set(fingerprint, described)
  }
  const services = [...new Set([view.service, ...propagatedTo.map((ancestor) => ancestor.view.service)])]
  return {
    spanId: Buffer.from(span.spanId).readBigInt64BE(),
    fingerprint: described,
    sessionId: toIndexText(sessionId),
    service,
    release: toIndexText(view.release ?? ''),
    eventMs: nanoToMs(eventNanoOf(span)) || lastReceivedMs,
    weight,
    services: JSON.stringify(services.slice(0, SERVICES_MAX).map(toIndexText)),
    endedTrace,
  }
}

/** An event from the future or from long before it arrived is a wrong clock. */
const BACKFILL_MAX_MS = 30 * 86_400_000

function describeMarker(
  { lastReceivedMs }: OpenTrace,
  { kind, service, subject, value, startUnixNano }: ChangeMarker,
): DecidedMarker {
  const sentMs = nanoToMs(clampNano(startUnixNano))
  const isOurs = sentMs <= lastReceivedMs && sentMs >= lastReceivedMs - BACKFILL_MAX_MS
  const names = { service: toIndexText(service), subject: toIndexText(subject), value: toIndexText(value) }
  return { kind, ...names, eventMs: isOurs ? sentMs : lastReceivedMs }
}

function describeSession(part: SessionPart, runEntries: readonly RunEntry[]): DecidedSession {
  const { startUnixNano, endUnixNano, ...rest } = part
  return {
    ...rest,
    run: describeRun(runEntries.find(({ sessionId }) => sessionId === part.sessionId)),
    sessionId: toIndexText(part.sessionId),
    agent: part.agent === null ? null : toIndexText(part.agent),
    user: part.user === null ? null : toIndexText(part.user),
    spans: count(part.spans),
    turns: count(part.turns),
    toolCalls: count(part.toolCalls),
    inputTokens: count(part.inputTokens),
    outputTokens: count(part.outputTokens),
    costUsd: part.costUsd !== null && Number.isFinite(part.costUsd) ? part.costUsd : null,
    failures: count(part.failures),
    startMs: nanoToMs(clampNano(startUnixNano)),
    endMs: nanoToMs(clampNano(endUnixNano)),
  }
}

function describeRun(entry: RunEntry | undefined): DecidedSession['run'] {
  if (!entry) return null
  return { service: toIndexText(entry.service), operation: toIndexText(entry.operation), spanId: entry.spanId }
}

/** A number from telemetry as an INTEGER column takes it. */
function count(value: number): number {
  return Number.isFinite(value) ? Math.min(Math.max(0, Math.trunc(value)), Number.MAX_SAFE_INTEGER) : 0
}

function clip(text: string): string {
  return text.slice(0, TEXT_MAX).toWellFormed().replaceAll('\0', '\ufffd')
}
