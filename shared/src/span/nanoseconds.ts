/**
 * The one module of nanosecond arithmetic. Times are unsigned 64-bit nanoseconds since the epoch (bigint, 0n = unknown);
 * SQLite's integers are signed, so a time enters an index only through `clampNano`.
 */

const NANO_PER_MS = 1_000_000n
const NANO_PER_MINUTE = 60_000_000_000n
/** The largest time a signed 64-bit index can hold (year 2262). */
const INDEXED_NANO_MAX = 2n ** 63n - 1n
/** The range of `Date`: beyond it `toISOString` throws. */
const DATE_MS_MAX = 8_640_000_000_000_000

/** Whole milliseconds since the epoch, rounded down; exact for every 64-bit time. */
export function nanoToMs(nano: bigint): number {
  return Number(nano / NANO_PER_MS)
}

export function msToNano(ms: number): bigint {
  return BigInt(Math.trunc(ms)) * NANO_PER_MS
}

/** Whole minutes since the epoch, rounded down. */
export function nanoToMinute(nano: bigint): number {
  return Number(nano / NANO_PER_MINUTE)
}

/** The time as an index may hold it: negative becomes 0, 2^63 and beyond become 2^63 - 1. */
export function clampNano(nano: bigint): bigint {
  if (nano < 0n) return 0n
  return nano > INDEXED_NANO_MAX ? INDEXED_NANO_MAX : nano
}

/** True for a time that `clampNano` would change. */
export function isBeyondIndex(nano: bigint): boolean {
  return nano < 0n || nano > INDEXED_NANO_MAX
}

/** From start to end, 0 where the span has not ended or ends before it starts. */
export function durationNano(startNano: bigint, endNano: bigint): bigint {
  return endNano > startNano ? endNano - startNano : 0n
}

/** RFC 3339 in UTC with milliseconds. Every 64-bit time is inside the range of dates. */
export function nanoToIso(nano: bigint): string {
  return msToIso(nanoToMs(nano))
}

/** RFC 3339 in UTC with milliseconds; a number outside the range of dates is cut to its end, NaN reads as the epoch. */
export function msToIso(ms: number): string {
  const inside = Number.isNaN(ms) ? 0 : Math.max(-DATE_MS_MAX, Math.min(DATE_MS_MAX, ms))
  return new Date(inside).toISOString()
}
