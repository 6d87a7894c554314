import { toIndexText } from '@loopkit/shared/database/telemetry/index-text'
import type { StoredSpan } from '@loopkit/shared/database/telemetry/read-trace'
import type { OtlpSpan } from '@loopkit/shared/otlp/model'
import type { SignalType } from '@loopkit/shared/signals/signal-type'
import type { SpanView } from '@loopkit/shared/span/record'
import type { DecidedSignals } from './decided-signals.ts'
import { eventMsOf, toTraceSpan } from './judge-span.ts'
import { nameOf, placeName, recordIdOf, type SpanPlace } from './span-places.ts'

/** null lets everything pass. `from`/`to` bound arrival, `eventFrom`/`eventTo` event time; the ends are not included. */
export interface RecordFilter {
  fromMs: number | null
  toMs: number | null
  eventFromMs: number | null
  eventToMs: number | null
  service: string | null
  signal: SignalType | null
}

/** Whether a record passes; asks what it shows only where the filter does. */
export function createMatch(
  filter: RecordFilter,
  off: readonly SignalType[],
  decided: DecidedSignals,
): (stored: StoredSpan) => boolean {
  const { service, signal } = filter
  const isWithin = createIsWithin(filter)
  const signalsOff = new Set(off)
  return ({ ctx, receivedMs }) => {
    if (!isWithin(receivedMs, ctx.span)) return false
    if (service === null && signal === null) return true
    const { view, detection } = toTraceSpan(ctx, signalsOff)
    if (service !== null && toIndexText(view.service) !== service) return false
    return signal === null || (detection ?? (mayBeSoft(ctx.span, view) ? decided(ctx.span) : null))?.signal === signal
  }
}

/** Whether a record arrived and happened when the filter says. */
export function createIsWithin(
  filter: RecordFilter,
): (receivedMs: number, times: Pick<OtlpSpan, 'startUnixNano' | 'endUnixNano'>) => boolean {
  const arrived = between(filter.fromMs, filter.toMs)
  const happened = between(filter.eventFromMs, filter.eventToMs)
  return (receivedMs, times) => arrived(receivedMs) && happened(eventMsOf(times))
}

/** Only such spans are looked up while others are passed over: what an agent did, and what did not end. */
function mayBeSoft({ endUnixNano }: OtlpSpan, { kind }: SpanView): boolean {
  return endUnixNano === 0n || kind === 'chat' || kind === 'tool' || kind === 'agent'
}

function between(from: number | null, to: number | null): (ms: number) => boolean {
  return (ms) => (from === null || ms >= from) && (to === null || ms < to)
}

/** Where a record stands in a list: later commits first, inside one the later starts, then by id. */
export type RecordPlace = Pick<SpanPlace, 'commit' | 'startUnixNano' | 'name'>

/** The last record of a page, as a cursor carries it. `start` is null where the whole commit is behind the page. */
export interface RecordPosition {
  commit: number
  start: string | null
  recordId: string
}

export function placeOf({ ctx: { span }, commit }: StoredSpan): RecordPlace {
  return { commit, startUnixNano: span.startUnixNano, name: nameOf(span.traceId, span.spanId) }
}

export function comparePlaces(a: RecordPlace, b: RecordPlace): number {
  if (a.commit !== b.commit) return b.commit - a.commit
  if (a.startUnixNano !== b.startUnixNano) return a.startUnixNano > b.startUnixNano ? -1 : 1
  return a.name === b.name ? 0 : a.name < b.name ? -1 : 1
}

export function toPosition({ commit, startUnixNano, name }: RecordPlace): RecordPosition {
  return { commit, start: String(startUnixNano), recordId: recordIdOf(name) }
}

/** Whether a record comes after the page that ended there. */
export function createIsBehind(position: RecordPosition | null): (place: RecordPlace) => boolean {
  if (position === null) return () => true
  if (position.start === null) return ({ commit }) => commit < position.commit
  const last = { commit: position.commit, startUnixNano: BigInt(position.start), name: placeName(position.recordId) ?? '' }
  return (place) => comparePlaces(place, last) > 0
}
