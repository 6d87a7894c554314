const MINUTE_MS = 60_000

/** Whole minutes of arrival, since the epoch: `fromMinute` belongs to the window, `toMinute` does not. */
export interface MinuteWindow {
  fromMinute: number
  toMinute: number
}

/** The window that ends with the running minute (contract §1): `to` is the end of the minute that holds `nowMs`. */
export function windowOfLast(sinceMinutes: number, nowMs: number): MinuteWindow {
  const toMinute = Math.floor(nowMs / MINUTE_MS) + 1
  return { fromMinute: toMinute - sinceMinutes, toMinute }
}

/** The window's bounds in milliseconds, the end not included. */
export function windowBoundsMs({ fromMinute, toMinute }: MinuteWindow): { fromMs: number; toMs: number } {
  return { fromMs: fromMinute * MINUTE_MS, toMs: toMinute * MINUTE_MS }
}

/** The window as answers show it: RFC 3339. */
export function showWindow(window: MinuteWindow): { from: string; to: string } {
  const { fromMs, toMs } = windowBoundsMs(window)
  return { from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString() }
}
