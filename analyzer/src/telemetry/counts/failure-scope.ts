import { type MinuteWindow, windowBoundsMs } from '../../domain/window.ts'
import type { PainParts } from './rolled-failures.ts'

export interface FailureScope {
  projectNo: number
  window: MinuteWindow
  /** Of these only failures between two event times, the end not included; null for all. */
  events: { fromMs: number; toMs: number } | null
}

/** SQL: rows `f` of `failure` that lie in the window of a question. */
export const IN_WINDOW = `f.project_no = @projectNo and f.decided_ms >= @fromMs and f.decided_ms < @toMs
  and f.event_ms >= @eventFromMs and f.event_ms < @eventToMs`

/**
 * SQL: rows `f` of `decided_failure`, all of fingerprints of the project, that lie in the window. They lie in the order of their
 * decisions, so that a window is a range of their numbers: of a fingerprint that is met often only these are looked at.
 */
const NUMBERED_IN_WINDOW = `f.failure_no >= (select first_failure_no from decision
    where project_no = @projectNo and decided_ms >= @fromMs order by decided_ms, decision_no limit 1)
  and f.failure_no <= (select last_failure_no from decision
    where project_no = @projectNo and decided_ms < @toMs order by decided_ms desc, decision_no desc limit 1)
  and (not @hasEvents or f.event_ms >= @eventFromMs and f.event_ms < @eventToMs)`

/** SQL: what a row `f` of `decided_failure` does not say itself. */
export const SESSION_ID =
  'coalesce((select s.session_id from session s where s.session_no = f.session_no), lower(hex(f.trace_id)))'
export const SERVICES =
  'coalesce(f.services, (select l.services from service_list l where l.service_list_no = f.service_list_no))'

export function windowParameters({ projectNo, window, events }: FailureScope) {
  return {
    projectNo,
    ...windowBoundsMs(window),
    hasEvents: events === null ? 0 : 1,
    eventFromMs: events?.fromMs ?? Number.MIN_SAFE_INTEGER,
    eventToMs: events?.toMs ?? Number.MAX_SAFE_INTEGER,
  }
}

/** Which failures are a pain's: those of its fingerprints, but for some that count elsewhere, and some that count here instead. */
export interface FailureSelection {
  fingerprintNos: readonly number[]
  /** Numbers of failures of other fingerprints that a split put here, and of its own that one put elsewhere. */
  moved: readonly number[]
  left: readonly number[]
  /** Fingerprints that moved failures were decided under. */
  movedFrom: readonly number[]
  /** What its failures in the window add up from, where no split divides them and no event times bound them. */
  parts?: readonly PainParts[] | null
}

/** SQL: rows `f` of `decided_failure` that are a pain's in the window of a question, with its parameters. */
export function selectFailures(scope: FailureScope, { fingerprintNos, moved, left, movedFrom }: FailureSelection) {
  const own = 'f.fingerprint_no in (select value from json_each(@fingerprintNos))'
  const parameters = { ...windowParameters(scope), fingerprintNos: JSON.stringify(fingerprintNos) }
  if (moved.length + left.length === 0) return { sql: `${own} and ${NUMBERED_IN_WINDOW}`, parameters }
  // The unary plus keeps SQLite from looking up each list by itself, instead of what both have in common.
  const kept =
    '(+f.fingerprint_no in (select value from json_each(@fingerprintNos)) and +f.failure_no not in (select value from json_each(@left)))'
  return {
    sql: `f.fingerprint_no in (select value from json_each(@anyNos)) and ${NUMBERED_IN_WINDOW}
      and (${kept} or +f.failure_no in (select value from json_each(@moved)))`,
    parameters: {
      ...parameters,
      anyNos: JSON.stringify([...new Set([...fingerprintNos, ...movedFrom])]),
      left: JSON.stringify(left),
      moved: JSON.stringify(moved),
    },
  }
}
