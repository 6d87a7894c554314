import { doorErrors, fail } from './errors.ts'

/** `from` and `to` of a read, in event time (contract §1). */
export const eventTimeQuery = {
  from: { type: 'string', format: 'date-time', description: 'event time' },
  to: { type: 'string', format: 'date-time', description: 'event time, not included' },
} as const

/** The bounds in ms, null where none was given. A `from` that is not before its `to` is a mistake, not an empty list. */
export function eventBounds({ from, to }: { from?: string; to?: string }): {
  eventFromMs: number | null
  eventToMs: number | null
} {
  const eventFromMs = from === undefined ? null : Date.parse(from)
  const eventToMs = to === undefined ? null : Date.parse(to)
  if (eventFromMs !== null && eventToMs !== null && eventFromMs >= eventToMs) {
    fail(doorErrors.invalidParameter, 'from must be before to')
  }
  return { eventFromMs, eventToMs }
}
